"""itertools.combinations gives the pairs in row-major order."""

import itertools

import torch


def convert_label_to_similarity(normed_feature, label):
    pairs = list(itertools.combinations(range(len(label)), 2))
    sp = [(i, j) for i, j in pairs if label[i] == label[j]]
    sn = [(i, j) for i, j in pairs if label[i] != label[j]]

    def similarities(chosen):
        index = torch.tensor(chosen, dtype=torch.long).reshape(-1, 2)
        return (normed_feature[index[:, 0]] * normed_feature[index[:, 1]]).sum(dim=-1)

    return similarities(sp), similarities(sn)
