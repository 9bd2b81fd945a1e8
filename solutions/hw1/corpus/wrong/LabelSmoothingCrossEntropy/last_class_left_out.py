"""The loop over the classes ends one too early."""

import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        logp = F.log_softmax(logits, dim=1)
        k = logits.size(1)
        loss = 0
        for c in range(k - 1):
            t = (target == c).float() * (1 - self.epsilon) + self.epsilon / k
            loss = loss - t * logp[:, c]
        return loss.mean()
