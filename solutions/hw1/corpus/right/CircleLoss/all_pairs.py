"""The product of the two sums as one logsumexp over all pairs, with a zero for the 1."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        ap = (1 + self.m - sp).clamp(min=0).detach()
        an = (sn + self.m).clamp(min=0).detach()
        logit_p = -self.gamma * ap * (sp - (1 - self.m))
        logit_n = self.gamma * an * (sn - self.m)
        pairs = (logit_n[:, None] + logit_p[None, :]).flatten()
        return torch.logsumexp(torch.cat([pairs, pairs.new_zeros(1)]), dim=0)
