"""A constant zero when either kind is missing: there is nothing to learn from such a batch."""

import torch
from torch import nn
from torch.nn import functional as F


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        if sp.numel() == 0 or sn.numel() == 0:
            return torch.zeros((), dtype=sp.dtype, device=sp.device)
        ap = torch.where(sp < 1 + self.m, 1 + self.m - sp, 0.0).detach()
        an = torch.where(sn > -self.m, sn + self.m, 0.0).detach()
        p = torch.logsumexp(-self.gamma * ap * (sp - (1 - self.m)), dim=0)
        n = torch.logsumexp(self.gamma * an * (sn - self.m), dim=0)
        return F.softplus(p + n)
