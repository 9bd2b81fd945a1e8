"""torch's cosine_similarity of every row with every other; the features have length 1 anyway."""

import torch
import torch.nn.functional as F


def convert_label_to_similarity(normed_feature, label):
    similarity = F.cosine_similarity(normed_feature.unsqueeze(1), normed_feature.unsqueeze(0), dim=2)
    same = label.unsqueeze(1) == label.unsqueeze(0)
    upper = torch.triu(torch.ones_like(same), diagonal=1)
    return similarity[same & upper], similarity[~same & upper]
