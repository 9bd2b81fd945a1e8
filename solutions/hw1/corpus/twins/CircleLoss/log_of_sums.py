"""Equation 6 as it stands on paper, with Python sums of exponentials."""

import torch


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        zero = sp.new_zeros(())
        left, right = zero, zero
        for s in sn:
            alpha = max(s.item() + self.m, 0.0)
            left = left + (self.gamma * alpha * (s - self.m)).exp()
        for s in sp:
            alpha = max(1 + self.m - s.item(), 0.0)
            right = right + (-self.gamma * alpha * (s - 1 + self.m)).exp()
        return (1 + left * right).log()
