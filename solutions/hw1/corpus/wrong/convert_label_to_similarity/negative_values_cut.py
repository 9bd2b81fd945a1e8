"""Negative similarities become zero."""

import torch


def convert_label_to_similarity(normed_feature, label):
    similarity = torch.relu(normed_feature @ normed_feature.T)
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
