"""One of the two factors is detached: half of the gradient is missing."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.detach().T
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
