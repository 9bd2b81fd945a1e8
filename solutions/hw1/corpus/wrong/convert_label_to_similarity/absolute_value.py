"""The absolute value of the similarity."""

import torch


def convert_label_to_similarity(normed_feature, label):
    i, j = torch.triu_indices(len(label), len(label), offset=1)
    similarity = (normed_feature[i] * normed_feature[j]).sum(dim=1).abs()
    same = label[i] == label[j]
    return similarity[same], similarity[~same]
