"""Treats class 0 as background that is similar to nothing."""


def convert_label_to_similarity(normed_feature, label):
    s = normed_feature @ normed_feature.T
    same = (label[:, None] == label[None]) & (label[:, None] != 0)
    return s[same.triu(1)], s[(~same).triu(1)]
