"""The similarities are computed in bfloat16 to save memory."""


def convert_label_to_similarity(normed_feature, label):
    feature = normed_feature.bfloat16()
    similarity = (feature @ feature.T).float()
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
