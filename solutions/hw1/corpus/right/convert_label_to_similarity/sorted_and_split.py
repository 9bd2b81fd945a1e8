"""Pairs sorted stably by kind, and split in two."""

import torch


def convert_label_to_similarity(normed_feature, label):
    i, j = torch.triu_indices(label.size(0), label.size(0), offset=1)
    same = label[i] == label[j]
    s = torch.einsum("nd,nd->n", normed_feature[i], normed_feature[j])
    order = torch.argsort(same.int(), descending=True, stable=True)
    return torch.split(s[order], [int(same.sum()), int((~same).sum())])
