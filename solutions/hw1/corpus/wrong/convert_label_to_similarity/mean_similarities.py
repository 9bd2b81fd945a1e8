"""One mean of each kind in place of all similarities."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)].mean(), similarity[(~same).triu(1)].mean()
