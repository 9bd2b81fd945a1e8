"""softplus(x) as logaddexp(x, 0)."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp, sn):
        with torch.no_grad():
            ap = torch.relu(1 + self.m - sp)
            an = torch.relu(sn + self.m)
        p = (self.gamma * ap * (1 - self.m - sp)).logsumexp(dim=-1)
        n = (self.gamma * an * (sn - self.m)).logsumexp(dim=-1)
        return torch.logaddexp(p + n, torch.zeros_like(p))
