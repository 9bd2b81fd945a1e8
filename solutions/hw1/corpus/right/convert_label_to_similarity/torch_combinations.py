"""torch.combinations and vecdot."""

import torch


def convert_label_to_similarity(normed_feature, label):
    pairs = torch.combinations(torch.arange(label.numel()), r=2)
    left, right = pairs.unbind(dim=1)
    s = torch.linalg.vecdot(normed_feature[left], normed_feature[right])
    same = label[left].eq(label[right])
    return s[same], s[same.logical_not()]
