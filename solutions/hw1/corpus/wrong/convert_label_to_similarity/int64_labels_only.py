"""The labels are used in a way that only int64 allows."""

import torch


def convert_label_to_similarity(normed_feature, label):
    n = len(label)
    table = torch.zeros(n, int(label.max()) + 1).scatter_(1, label.view(-1, 1), 1.0)
    same = (table @ table.T) > 0
    similarity = normed_feature @ normed_feature.T
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
