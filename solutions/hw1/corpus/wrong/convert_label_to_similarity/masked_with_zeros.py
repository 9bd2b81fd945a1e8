"""Whole matrices come back, with zeros where a pair does not belong."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    return similarity * same.triu(1), similarity * (~same).triu(1)
