"""Returns angles instead of their cosines."""

import torch


def convert_label_to_similarity(normed_feature, label):
    s = torch.acos((normed_feature @ normed_feature.T).clamp(-1 + 1e-6, 1 - 1e-6))
    same = label[:, None] == label[None]
    return s[same.triu(1)], s[(~same).triu(1)]
