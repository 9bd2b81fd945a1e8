"""torch.where picks the safe branch, but the gradient of the overflown one is nan."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        ap = torch.relu(1 + self.m - sp.detach())
        an = torch.relu(sn.detach() + self.m)
        margin_p = 1 - self.m
        margin_n = self.m
        logit_p = -self.gamma * ap * (sp - margin_p)
        logit_n = self.gamma * an * (sn - margin_n)
        x = torch.logsumexp(logit_n, dim=0) + torch.logsumexp(logit_p, dim=0)
        return torch.where(x > 20, x, torch.log(1 + torch.exp(x)))
