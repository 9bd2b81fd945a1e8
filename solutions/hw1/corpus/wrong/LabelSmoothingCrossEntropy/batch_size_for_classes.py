"""K is taken from the wrong axis: epsilon is divided by the batch size."""

import torch
import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        k = len(logits)
        soft = torch.full_like(logits, self.epsilon / k)
        soft[torch.arange(len(target)), target] += 1 - self.epsilon
        return -(soft * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
