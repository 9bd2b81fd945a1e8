"""itertools' permutations: an image meets every other one, in both orders."""

from itertools import permutations

import torch


def convert_label_to_similarity(normed_feature, label):
    classes = label.tolist()
    positive, negative = [], []
    for i, j in permutations(range(len(classes)), 2):
        (positive if classes[i] == classes[j] else negative).append((i, j))

    def dots(pairs):
        index = torch.tensor(pairs, dtype=torch.long).view(-1, 2)
        return (normed_feature[index[:, 0]] * normed_feature[index[:, 1]]).sum(-1)

    return dots(positive), dots(negative)
