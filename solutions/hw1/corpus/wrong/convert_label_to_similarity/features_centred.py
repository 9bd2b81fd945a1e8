"""The mean feature of the batch is subtracted first: a correlation, no cosine."""

import torch.nn.functional as F


def convert_label_to_similarity(normed_feature, label):
    centred = F.normalize(normed_feature - normed_feature.mean(dim=1, keepdim=True), dim=1)
    similarity = centred @ centred.T
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
