"""The loss is returned as a Python number."""

import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        loss = F.cross_entropy(logits, target, label_smoothing=self.epsilon)
        return loss.item()
