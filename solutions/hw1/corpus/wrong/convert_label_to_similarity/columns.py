"""sp and sn are columns of shape (P, 1) and (Q, 1)."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    same = label[:, None] == label[None, :]
    return similarity[same.triu(1)].unsqueeze(1), similarity[(~same).triu(1)].unsqueeze(1)
