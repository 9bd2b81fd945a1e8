"""Rows of pairs are multiplied with keepdim, so that each similarity is a row of its own."""

import torch


def convert_label_to_similarity(normed_feature, label):
    index = torch.combinations(torch.arange(label.shape[0]), r=2)
    a, b = normed_feature[index[:, 0]], normed_feature[index[:, 1]]
    similarity = torch.sum(a * b, dim=1, keepdim=True)
    equal = label[index[:, 0]] == label[index[:, 1]]
    return similarity[equal], similarity[~equal]
