"""The lower triangle, row by row: the right pairs in another order."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label.view(-1, 1) == label.view(1, -1)
    lower = torch.tril(torch.ones_like(same), diagonal=-1)
    return similarity[lower & same], similarity[lower & ~same]
