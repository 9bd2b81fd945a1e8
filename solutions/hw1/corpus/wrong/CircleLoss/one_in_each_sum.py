"""A 1 in each of the two sums, beside the one in the logarithm."""

import torch
import torch.nn.functional as F
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp, sn):
        ap = (1 + self.m - sp).clamp_min(0).detach()
        an = (sn + self.m).clamp_min(0).detach()
        lp = -self.gamma * ap * (sp - (1 - self.m))
        ln = self.gamma * an * (sn - self.m)
        z = torch.zeros(1)
        return F.softplus(torch.logsumexp(torch.cat([z, ln]), 0) + torch.logsumexp(torch.cat([z, lp]), 0))
