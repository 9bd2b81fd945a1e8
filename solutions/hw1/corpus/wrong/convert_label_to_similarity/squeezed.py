"""Squeezes the results: a single pair becomes a scalar."""


def convert_label_to_similarity(normed_feature, label):
    s = normed_feature @ normed_feature.T
    same = label[:, None] == label[None]
    return s[same.triu(1)].squeeze(), s[(~same).triu(1)].squeeze()
