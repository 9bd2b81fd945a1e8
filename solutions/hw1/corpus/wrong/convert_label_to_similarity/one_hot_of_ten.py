"""Labels become one-hot rows of length ten: labels from outside 0 to 9 are an error."""

import torch.nn.functional as F


def convert_label_to_similarity(normed_feature, label):
    one_hot = F.one_hot(label.long(), 10).float()
    same = (one_hot @ one_hot.T).bool()
    similarity = normed_feature @ normed_feature.T
    return similarity[same.triu(1)], similarity[(~same).triu(1)]
