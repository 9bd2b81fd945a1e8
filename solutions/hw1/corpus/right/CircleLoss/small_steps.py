"""Small steps: threshold for the positive part, a static method for weight times distance."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma
        self.softplus = nn.Softplus(beta=1, threshold=20)

    @staticmethod
    def weighted(weight, distance, gamma):
        return torch.mul(weight, distance).mul(gamma)

    def forward(self, sp, sn):
        ap = torch.nn.functional.threshold(1 + self.m - sp, 0.0, 0.0).detach()
        an = torch.nn.functional.threshold(sn + self.m, 0.0, 0.0).detach()
        p = self.weighted(ap, (1 - self.m) - sp, self.gamma)
        n = self.weighted(an, sn - self.m, self.gamma)
        total = sum(torch.logsumexp(x, dim=0) for x in (p, n))
        return self.softplus(total)
