"""The similarity is divided by a temperature, as in contrastive learning."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T / 0.07
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
