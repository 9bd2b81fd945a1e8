"""The matrix becomes nested lists, and new tensors are made of their numbers."""

import torch


def convert_label_to_similarity(normed_feature, label):
    table = torch.matmul(normed_feature, normed_feature.t()).tolist()
    names = label.tolist()
    chosen = {True: [], False: []}
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            if j > i:
                chosen[names[i] == names[j]].append(value)
    return torch.tensor(chosen[True]), torch.tensor(chosen[False])
