"""The whole matrix is used: every pair twice and the diagonal too."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = torch.matmul(normed_feature, normed_feature.t())
    same = torch.eq(label[:, None], label[None, :])
    return torch.masked_select(similarity, same), torch.masked_select(similarity, ~same)
