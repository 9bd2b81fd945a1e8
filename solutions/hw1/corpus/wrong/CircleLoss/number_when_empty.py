"""Returns a Python number when sp or sn is empty."""

import torch
import torch.nn.functional as F
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp, sn):
        if not len(sp) or not len(sn):
            return 0.0
        ap = (1 + self.m - sp).clamp_min(0).detach()
        an = (sn + self.m).clamp_min(0).detach()
        lp = -self.gamma * ap * (sp - (1 - self.m))
        ln = self.gamma * an * (sn - self.m)
        return F.softplus(torch.logsumexp(ln, dim=0) + torch.logsumexp(lp, dim=0))
