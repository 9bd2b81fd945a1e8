"""The soft targets are made on the GPU whatever the logits' device is."""

import torch
import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        n, k = logits.shape
        soft = torch.full((n, k), self.epsilon / k, device="cuda")
        soft[torch.arange(n), target] += 1 - self.epsilon
        return -(soft * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
