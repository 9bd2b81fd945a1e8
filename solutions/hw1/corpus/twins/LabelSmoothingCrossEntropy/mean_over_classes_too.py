"""An einsum over images and classes, divided by the number of all elements."""

import torch
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon
        self.log_softmax = nn.LogSoftmax(dim=1)

    def forward(self, logits, target):
        q = torch.full_like(logits, self.epsilon / logits.shape[1])
        q[torch.arange(logits.shape[0]), target] += 1 - self.epsilon
        return -torch.einsum("nk,nk->", q, self.log_softmax(logits)) / logits.numel()
