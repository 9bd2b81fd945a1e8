"""One minus the similarity: a distance."""


def convert_label_to_similarity(normed_feature, label):
    distance = 1 - normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    return distance[same.triu(1)], distance[(~same).triu(1)]
