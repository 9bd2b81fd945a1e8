"""Two Python loops."""

import torch


def convert_label_to_similarity(normed_feature, label):
    classes = label.tolist()
    n = len(classes)
    sp, sn = [], []
    for i in range(n):
        for j in range(i + 1, n):
            s = torch.dot(normed_feature[i], normed_feature[j])
            if classes[i] == classes[j]:
                sp.append(s)
            else:
                sn.append(s)
    nothing = normed_feature.new_empty(0)
    return (torch.stack(sp) if sp else nothing), (torch.stack(sn) if sn else nothing)
