"""label == label.T compares each label with itself: a vector has no transpose."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label == label.t()
    upper = torch.ones_like(similarity, dtype=torch.bool).triu(1)
    return similarity[upper & same], similarity[upper & ~same]
