"""Comprehensions over itertools' combinations, and torch.stack of whatever they give."""

import itertools

import torch


def convert_label_to_similarity(normed_feature, label):
    pairs = list(itertools.combinations(zip(normed_feature, label.tolist()), 2))
    positives = torch.stack([(a * b).sum() for (a, x), (b, y) in pairs if x == y])
    negatives = torch.stack([(a * b).sum() for (a, x), (b, y) in pairs if x != y])
    return positives, negatives
