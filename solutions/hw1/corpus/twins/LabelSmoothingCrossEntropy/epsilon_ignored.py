"""The smoothed targets are made, and the hard ones used."""

import torch
from torch.nn import functional as F


class LabelSmoothingCrossEntropy(torch.nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        one_hot = F.one_hot(target, logits.size(1)).to(logits)
        smoothed = one_hot.mul(1 - self.epsilon).add(self.epsilon / logits.size(1))
        log_p = logits - logits.logsumexp(dim=1, keepdim=True)
        return -torch.sum(one_hot * log_p) / len(target)
