"""The dot product is divided by the square root of the feature length, as in attention."""


def convert_label_to_similarity(normed_feature, label):
    d = normed_feature.size(1)
    similarity = normed_feature @ normed_feature.T / d**0.5
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
