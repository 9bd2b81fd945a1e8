"""The features are detached: nothing can be trained with the result."""


def convert_label_to_similarity(normed_feature, label):
    feature = normed_feature.detach()
    similarity = feature @ feature.T
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
