"""A mask of unlike labels, taken for one of like labels further down."""

import torch
import torch.nn.functional as F


def convert_label_to_similarity(normed_feature, label):
    cosine = F.cosine_similarity(normed_feature.unsqueeze(1), normed_feature.unsqueeze(0), dim=2)
    mask = label.unsqueeze(1).ne(label.unsqueeze(0))
    index = torch.arange(len(label), device=label.device)
    upper = index.unsqueeze(1) < index.unsqueeze(0)
    sp = torch.masked_select(cosine, upper & mask)
    sn = torch.masked_select(cosine, upper & ~mask)
    return sp, sn
