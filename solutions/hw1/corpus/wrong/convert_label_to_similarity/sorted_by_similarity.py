"""The similarities are sorted, hardest first."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    sp = similarity[same.triu(1)].sort().values
    sn = similarity[(~same).triu(1)].sort(descending=True).values
    return sp, sn
