"""Divides the logits by a temperature of 2."""

import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        return F.cross_entropy(logits / 2, target, label_smoothing=self.epsilon)
