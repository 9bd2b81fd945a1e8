"""Double pairs are removed by taking the first half of the values."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    off_diagonal = ~torch.eye(len(label), dtype=torch.bool)
    sp, sn = similarity[same & off_diagonal], similarity[~same]
    return sp[: len(sp) // 2], sn[: len(sn) // 2]
