"""A perfect pair stands in for none."""

import torch
import torch.nn.functional as F
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp, sn):
        if sp.numel() == 0:
            sp = sp.new_full((1,), 1.0)
        if sn.numel() == 0:
            sn = sn.new_full((1,), 0.0)
        ap = (1 + self.m - sp).clamp_min(0).detach()
        an = (sn + self.m).clamp_min(0).detach()
        lp = -self.gamma * ap * (sp - (1 - self.m))
        ln = self.gamma * an * (sn - self.m)
        return F.softplus(torch.logsumexp(ln, dim=0) + torch.logsumexp(lp, dim=0))
