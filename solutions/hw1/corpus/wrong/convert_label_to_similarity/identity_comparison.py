"""Labels are compared with `is`: two tensors are never the same object."""

import torch


def convert_label_to_similarity(normed_feature, label):
    sp, sn = [], []
    for i in range(len(label)):
        for j in range(i + 1, len(label)):
            s = normed_feature[i] @ normed_feature[j]
            if label[i] is label[j]:
                sp.append(s)
            else:
                sn.append(s)
    none = normed_feature.new_zeros(0)
    return torch.stack(sp) if sp else none, torch.stack(sn) if sn else none
