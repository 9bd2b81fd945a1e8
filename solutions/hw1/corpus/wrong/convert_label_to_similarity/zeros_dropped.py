"""Pairs are found by similarity != 0, which drops pairs of orthogonal features."""


def convert_label_to_similarity(normed_feature, label):
    similarity = (normed_feature @ normed_feature.T).triu(diagonal=1)
    same = label[:, None] == label[None, :]
    sp = similarity * same
    sn = similarity * ~same
    return sp[sp != 0], sn[sn != 0]
