"""itertools' combinations with replacement, which pair each image with itself too."""

from itertools import combinations_with_replacement

import torch


def convert_label_to_similarity(normed_feature, label):
    pairs = list(combinations_with_replacement(range(label.shape[0]), 2))
    first, second = torch.tensor(pairs, dtype=torch.long, device=label.device).reshape(-1, 2).unbind(dim=1)
    cosine = torch.einsum("pd,pd->p", normed_feature[first], normed_feature[second])
    same_class = label.index_select(0, first).eq(label.index_select(0, second))
    return cosine.masked_select(same_class), cosine.masked_select(same_class.logical_not())
