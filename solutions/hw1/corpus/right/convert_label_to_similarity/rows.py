"""Row by row: each image with those after it."""

import torch


def convert_label_to_similarity(normed_feature, label):
    sp, sn = [normed_feature[:0, 0]], [normed_feature[:0, 0]]
    for i in range(len(label) - 1):
        s = normed_feature[i + 1 :] @ normed_feature[i]
        same = label[i + 1 :] == label[i]
        sp.append(s[same])
        sn.append(s[~same])
    return torch.cat(sp), torch.cat(sn)
