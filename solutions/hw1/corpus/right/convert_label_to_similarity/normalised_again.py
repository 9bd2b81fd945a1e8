"""Normalises once more to be safe, which leaves features of length 1 as they are."""

import torch
import torch.nn.functional as F


def convert_label_to_similarity(normed_feature, label):
    feature = F.normalize(normed_feature, p=2, dim=1)
    similarity = torch.mm(feature, feature.t())
    same = label[:, None] == label[None, :]
    return similarity[torch.triu(same, 1)], similarity[torch.triu(~same, 1)]
