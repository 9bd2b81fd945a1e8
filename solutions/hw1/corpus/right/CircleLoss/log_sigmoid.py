"""softplus(x) as -logsigmoid(-x)."""

import torch
import torch.nn.functional as F


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        ap = F.relu(1 + self.m - sp.detach())
        an = F.relu(sn.detach() + self.m)
        exponent = torch.logsumexp(-self.gamma * ap * (sp - 1 + self.m), 0)
        exponent = exponent + torch.logsumexp(self.gamma * an * (sn - self.m), 0)
        return -F.logsigmoid(-exponent)
