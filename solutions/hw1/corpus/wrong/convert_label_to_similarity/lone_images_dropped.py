"""An image whose class has no other member is dropped with all its pairs."""

import torch


def convert_label_to_similarity(normed_feature, label):
    same = label[:, None] == label[None, :]
    kept = same.sum(dim=1) > 1
    if not kept.all() and kept.any():
        normed_feature, same = normed_feature[kept], same[kept][:, kept]
    elif not kept.any():
        return normed_feature.new_zeros(0), normed_feature.new_zeros(0)
    similarity = normed_feature @ normed_feature.T
    upper = torch.ones_like(same).triu(1)
    return similarity[upper & same], similarity[upper & ~same]
