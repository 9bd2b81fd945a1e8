"""A logsumexp by hand whose max() fails on an empty set."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma
        self.softplus = nn.Softplus()

    def forward(self, sp, sn):
        ap = torch.relu(1 + self.m - sp.detach())
        an = torch.relu(sn.detach() + self.m)
        margin_p = 1 - self.m
        margin_n = self.m
        logit_p = -self.gamma * ap * (sp - margin_p)
        logit_n = self.gamma * an * (sn - margin_n)
        max_p, max_n = logit_p.max().detach(), logit_n.max().detach()
        lse_p = max_p + torch.log(torch.exp(logit_p - max_p).sum())
        lse_n = max_n + torch.log(torch.exp(logit_n - max_n).sum())
        return self.softplus(lse_n + lse_p)
