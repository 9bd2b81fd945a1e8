"""Only neighbours in the batch are paired."""


def convert_label_to_similarity(normed_feature, label):
    similarity = (normed_feature[:-1] * normed_feature[1:]).sum(dim=1)
    same = label[:-1] == label[1:]
    return similarity[same], similarity[~same]
