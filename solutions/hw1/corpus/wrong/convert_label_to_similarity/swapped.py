"""sp and sn change places."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    i, j = torch.triu_indices(len(label), len(label), offset=1)
    same = label[i] == label[j]
    pairs = similarity[i, j]
    return pairs[~same], pairs[same]
