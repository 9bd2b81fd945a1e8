"""The Euclidean distance of the features."""

import torch


def convert_label_to_similarity(normed_feature, label):
    i, j = torch.triu_indices(len(label), len(label), offset=1)
    distance = torch.linalg.vector_norm(normed_feature[i] - normed_feature[j], dim=1)
    same = label[i] == label[j]
    return distance[same], distance[~same]
