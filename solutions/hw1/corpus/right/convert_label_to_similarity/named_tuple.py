"""Returns a named tuple."""

from typing import NamedTuple

import torch


class Pairs(NamedTuple):
    sp: torch.Tensor
    sn: torch.Tensor


def convert_label_to_similarity(normed_feature, label):
    s = normed_feature @ normed_feature.T
    same = label[:, None] == label[None]
    return Pairs(sp=s[same.triu(1)], sn=s[(~same).triu(1)])
