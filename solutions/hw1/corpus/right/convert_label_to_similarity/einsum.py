"""einsum for the matrix, nonzero for the pairs."""

import torch


def convert_label_to_similarity(normed_feature, label):
    gram = torch.einsum("id,jd->ij", normed_feature, normed_feature)
    same = torch.eq(label.reshape(-1, 1), label.reshape(1, -1))
    later = torch.arange(len(label))[:, None] < torch.arange(len(label))[None, :]
    positive = torch.nonzero(same & later, as_tuple=True)
    negative = torch.nonzero(~same & later, as_tuple=True)
    return gram[positive], gram[negative]
