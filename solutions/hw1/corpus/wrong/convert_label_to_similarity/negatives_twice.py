"""Pairs of one class are counted once, pairs of two classes twice."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    sp = similarity[same.triu(diagonal=1)]
    sn = similarity[same.logical_not()]
    return sp, sn
