"""log(1 + sum of exp times sum of exp), written out: exp overflows."""

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
        return torch.log(1 + torch.exp(logit_n).sum() * torch.exp(logit_p).sum())
