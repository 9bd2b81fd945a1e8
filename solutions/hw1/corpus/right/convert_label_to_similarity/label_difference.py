"""Labels are the same where their difference is zero; XOR and take do the rest."""

import torch


def convert_label_to_similarity(normed_feature, label):
    n = len(label)
    label = label.to(torch.int64)
    difference = label.view(n, 1) - label.view(1, n)
    positions = torch.arange(n * n).view(n, n)
    upper = torch.ones(n, n, dtype=torch.bool).triu(1)
    similarity = normed_feature @ normed_feature.T
    return (
        torch.take(similarity, positions[upper & (difference == 0)]),
        torch.take(similarity, positions[upper & (difference != 0)]),
    )
