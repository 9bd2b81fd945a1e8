"""An offset of 2 leaves out the pairs of neighbours."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    upper = torch.ones_like(same).triu(diagonal=2)
    return similarity[upper & same], similarity[upper & ~same]
