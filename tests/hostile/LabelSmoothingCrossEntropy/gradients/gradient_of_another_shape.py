"""Gives a gradient that fits nothing."""

import torch
from torch import nn


class Trap(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits):
        return logits.mean()

    @staticmethod
    def backward(ctx, slope):
        return torch.ones(3)


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()

    def forward(self, logits, target):
        return Trap.apply(logits)
