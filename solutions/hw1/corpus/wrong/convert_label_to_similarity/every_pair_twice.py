"""Each pair is counted as (i, j) and as (j, i)."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label.unsqueeze(0) == label.unsqueeze(1)
    off_diagonal = ~torch.eye(len(label), dtype=torch.bool)
    return similarity[same & off_diagonal], similarity[~same]
