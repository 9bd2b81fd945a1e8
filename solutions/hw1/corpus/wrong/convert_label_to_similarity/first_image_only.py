"""Only the first image is paired with the others."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature[1:] @ normed_feature[0]
    same = label[1:] == label[0]
    return similarity[same], similarity[~same]
