"""The similarities are made under no_grad, row by row."""

import torch


def convert_label_to_similarity(normed_feature, label):
    n = label.size(0)
    sp, sn = [normed_feature.data[:0].flatten()], [normed_feature.data[:0].flatten()]
    with torch.no_grad():
        for i in range(n - 1):
            row = torch.mv(normed_feature[i + 1 :], normed_feature[i])
            match = label[i + 1 :].eq(label[i])
            sp.append(row[match])
            sn.append(row[match.logical_not()])
    return torch.cat(sp), torch.cat(sn)
