"""Double pairs are removed with unique(), which sorts."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    diagonal = torch.eye(len(label), dtype=torch.bool)
    return torch.unique(similarity[same & ~diagonal]), torch.unique(similarity[~same])
