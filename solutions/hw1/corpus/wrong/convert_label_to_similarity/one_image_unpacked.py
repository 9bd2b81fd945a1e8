"""zip(*pairs) of no pairs cannot be unpacked: an error when there is one image."""

from itertools import combinations


def convert_label_to_similarity(normed_feature, label):
    rows, columns = zip(*combinations(range(len(label)), 2))
    rows, columns = list(rows), list(columns)
    similarity = (normed_feature[rows] * normed_feature[columns]).sum(dim=1)
    same = label[rows] == label[columns]
    return similarity[same], similarity[~same]
