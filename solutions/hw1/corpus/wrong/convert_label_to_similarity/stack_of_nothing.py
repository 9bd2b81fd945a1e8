"""torch.stack of an empty list: an error when all images are of one class, or none are."""

import torch


def convert_label_to_similarity(normed_feature, label):
    sp, sn = [], []
    for i in range(len(label)):
        for j in range(i + 1, len(label)):
            s = torch.dot(normed_feature[i], normed_feature[j])
            (sp if label[i] == label[j] else sn).append(s)
    return torch.stack(sp), torch.stack(sn)
