"""torch.where picks the weight of each class."""

import torch
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.eps = epsilon

    def forward(self, logits, target):
        k = logits.shape[1]
        off = self.eps / k
        on = 1 - self.eps + off
        is_true = torch.arange(k, device=logits.device) == target[:, None]
        weight = torch.where(is_true, on, off)
        return -(weight * logits.log_softmax(dim=1)).sum(dim=1).mean(dim=0)
