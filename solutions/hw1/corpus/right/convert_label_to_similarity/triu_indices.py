"""Indices of the upper triangle, then one selection each."""

import torch


def convert_label_to_similarity(normed_feature, label):
    n = label.shape[0]
    rows, columns = torch.triu_indices(n, n, offset=1, device=label.device)
    s = normed_feature.mm(normed_feature.t())[rows, columns]
    match = label[rows] == label[columns]
    return torch.masked_select(s, match), torch.masked_select(s, ~match)
