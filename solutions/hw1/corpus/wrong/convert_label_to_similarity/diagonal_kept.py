"""Each image is paired with itself as well."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label.unsqueeze(0) == label.unsqueeze(1)
    upper = torch.ones_like(same).triu()
    return similarity[upper & same], similarity[upper & ~same]
