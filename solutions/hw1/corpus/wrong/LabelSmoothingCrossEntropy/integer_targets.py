"""Soft targets are written into an integer tensor, where 0.775 becomes 0."""

import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        k = logits.size(1)
        soft = F.one_hot(target, k)
        soft[soft == 1] = 1 - self.epsilon + self.epsilon / k
        soft[soft == 0] = self.epsilon / k
        return -(soft * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
