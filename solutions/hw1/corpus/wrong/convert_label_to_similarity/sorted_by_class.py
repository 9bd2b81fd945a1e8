"""The positives are collected class by class, not in row-major order."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    sp = [similarity.new_zeros(0)]
    for c in label.unique():
        members = (label == c).nonzero().flatten()
        block = similarity[members][:, members]
        i, j = torch.triu_indices(len(members), len(members), offset=1)
        sp.append(block[i, j])
    different = (label[:, None] != label[None, :]).triu(1)
    return torch.cat(sp), similarity[different]
