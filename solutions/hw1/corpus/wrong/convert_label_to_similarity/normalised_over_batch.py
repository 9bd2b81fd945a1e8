"""The features are normalised once more, along the batch axis."""

import torch.nn.functional as F


def convert_label_to_similarity(normed_feature, label):
    feature = F.normalize(normed_feature, dim=0)
    similarity = feature @ feature.T
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
