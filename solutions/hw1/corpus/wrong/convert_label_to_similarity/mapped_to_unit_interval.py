"""The similarity is mapped from [-1, 1] to [0, 1]."""


def convert_label_to_similarity(normed_feature, label):
    similarity = (normed_feature @ normed_feature.T + 1) / 2
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
