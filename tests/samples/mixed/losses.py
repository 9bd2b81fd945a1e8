"""A hand-in with two mistakes that students make: label smoothing and Circle loss are nearly right."""

import torch
from torch import nn
from torch.nn import functional as F


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        classes = logits.shape[1]
        # Wrong: spreads epsilon over the other classes only, so that the true one keeps 1 - epsilon.
        soft = torch.full_like(logits, self.epsilon / (classes - 1))
        soft.scatter_(1, target[:, None], 1 - self.epsilon)
        return -(soft * F.log_softmax(logits, dim=1)).sum(dim=1).mean()


def convert_label_to_similarity(normed_feature, label):
    similarity = normed_feature @ normed_feature.T
    i, j = torch.triu_indices(len(label), len(label), offset=1)
    same = label[i] == label[j]
    pairs = similarity[i, j]
    return pairs[same], pairs[~same]


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp, sn):
        # Wrong: the weights are not detached, so the gradient is another one.
        ap = F.relu(1 + self.m - sp)
        an = F.relu(sn + self.m)
        logit_p = -self.gamma * ap * (sp - 1 + self.m)
        logit_n = self.gamma * an * (sn - self.m)
        return F.softplus(torch.logsumexp(logit_p, 0) + torch.logsumexp(logit_n, 0))
