"""Everything that is not in the upper mask of sp goes to sn: the diagonal and the lower triangle too."""


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    positive = (label[:, None] == label[None, :]).triu(diagonal=1)
    return similarity[positive], similarity[~positive]
