"""sn is taken from a detached copy: only sp carries a gradient."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity.data[(~same).triu(1)]
