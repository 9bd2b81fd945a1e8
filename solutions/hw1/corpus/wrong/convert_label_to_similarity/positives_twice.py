"""Pairs of two classes are counted once, pairs of one class twice."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    positive = same.clone().fill_diagonal_(False)
    negative = torch.triu(~same, diagonal=1)
    return similarity[positive], similarity[negative]
