"""The product runs over the batch: a D x D matrix."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature.T @ normed_feature
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
