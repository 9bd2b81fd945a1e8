"""epsilon is shared among the K - 1 wrong classes only, and the true class gets 1 - epsilon."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        k = logits.size(1)
        soft = torch.full_like(logits, self.epsilon / (k - 1))
        soft.scatter_(1, target.unsqueeze(1), 1 - self.epsilon)
        return -(soft * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
