"""Both loops end one image early."""

import torch


def convert_label_to_similarity(normed_feature, label):
    n = len(label)
    sp, sn = [], []
    for i in range(n - 1):
        for j in range(i + 1, n - 1):
            s = torch.dot(normed_feature[i], normed_feature[j])
            if label[i] == label[j]:
                sp.append(s)
            else:
                sn.append(s)
    empty = normed_feature.new_zeros(0)
    return (torch.stack(sp) if sp else empty), (torch.stack(sn) if sn else empty)
