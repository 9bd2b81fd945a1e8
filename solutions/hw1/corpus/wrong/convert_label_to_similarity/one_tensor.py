"""One tensor of similarities and one of labels, in the manner of a classification batch."""

import torch


def convert_label_to_similarity(normed_feature, label):
    i, j = torch.triu_indices(len(label), len(label), offset=1)
    similarity = (normed_feature[i] * normed_feature[j]).sum(1)
    return similarity, (label[i] == label[j]).float()
