"""Pairs of indices up to n - 1, in a function that already stops before it."""

import torch


def convert_label_to_similarity(normed_feature, label):
    last = label.shape[0] - 1
    row, column = torch.triu_indices(last, last, 1)
    value = torch.linalg.vecdot(normed_feature[row], normed_feature[column])
    match = torch.eq(label[row], label[column])
    return value[match], value[match.logical_not()]
