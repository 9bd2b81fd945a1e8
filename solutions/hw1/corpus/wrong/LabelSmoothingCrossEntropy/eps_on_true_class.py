"""The true class gets epsilon and the others share 1 - epsilon."""

import torch
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        k = logits.shape[1]
        soft = torch.ones_like(logits) * (1 - self.epsilon) / (k - 1)
        soft[torch.arange(len(target)), target] = self.epsilon
        return -(soft * logits.log_softmax(1)).sum(1).mean()
