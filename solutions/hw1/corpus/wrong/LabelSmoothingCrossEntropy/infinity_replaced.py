"""Replaces the infinite logarithms by -100."""

import torch
import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        p = torch.softmax(logits, 1)
        k = logits.size(1)
        t = F.one_hot(target, k) * (1 - self.epsilon) + self.epsilon / k
        return -(t * torch.nan_to_num(p.log(), neginf=-100.0)).sum(1).mean()
