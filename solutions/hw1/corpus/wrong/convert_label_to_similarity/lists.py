"""Lists of 0-d tensors in place of tensors."""


def convert_label_to_similarity(normed_feature, label):
    sp, sn = [], []
    for i in range(len(label)):
        for j in range(i + 1, len(label)):
            s = (normed_feature[i] * normed_feature[j]).sum()
            if label[i] == label[j]:
                sp.append(s)
            else:
                sn.append(s)
    return sp, sn
