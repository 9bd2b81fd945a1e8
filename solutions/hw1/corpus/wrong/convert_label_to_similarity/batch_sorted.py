"""The batch is sorted by class first, so that pairs come out in the order of the sorted batch."""

import torch


def convert_label_to_similarity(normed_feature, label):
    label, order = torch.sort(label, stable=True)
    normed_feature = normed_feature[order]
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    upper = torch.ones_like(same).triu(diagonal=1)
    return similarity[upper & same], similarity[upper & ~same]
