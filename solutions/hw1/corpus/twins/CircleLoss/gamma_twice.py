"""A method for the scaled logit, and the scale once more outside of it."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super(CircleLoss, self).__init__()
        self.m = m
        self.gamma = gamma

    def scaled(self, weight, difference):
        weight = torch.maximum(weight, torch.zeros_like(weight))
        return self.gamma * weight.detach() * difference

    def forward(self, sp, sn):
        scores = {
            "positive": self.scaled(1 + self.m - sp, 1 - self.m - sp),
            "negative": self.scaled(sn + self.m, sn - self.m),
        }
        x = torch.stack([(self.gamma * score).logsumexp(0) for score in scores.values()]).sum()
        return torch.logaddexp(x, torch.zeros_like(x))
