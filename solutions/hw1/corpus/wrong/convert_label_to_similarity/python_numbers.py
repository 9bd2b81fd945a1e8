"""The similarities go through Python numbers and lose their gradient."""

import torch


def convert_label_to_similarity(normed_feature, label):
    sp, sn = [], []
    for i in range(len(label)):
        for j in range(i + 1, len(label)):
            s = (normed_feature[i] @ normed_feature[j]).item()
            (sp if label[i] == label[j] else sn).append(s)
    return torch.tensor(sp), torch.tensor(sn)
