"""Everything that is no pair i < j is marked with NaN and dropped."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    nan = torch.full_like(similarity, float("nan"))
    upper = torch.ones(len(label), len(label)).triu(1) == 1
    same = label[None, :].expand(len(label), -1) == label[:, None]
    sp = torch.where(upper & same, similarity, nan).flatten()
    sn = torch.where(upper & ~same, similarity, nan).flatten()
    return sp[~sp.isnan()], sn[~sn.isnan()]
