"""The cosine from the Euclidean distance of vectors of length 1."""


def convert_label_to_similarity(normed_feature, label):
    d = (normed_feature[:, None] - normed_feature[None]).pow(2).sum(-1)
    s = 1 - d / 2
    same = label[:, None] == label[None]
    return s[same.triu(1)], s[(~same).triu(1)]
