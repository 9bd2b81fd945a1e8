"""A logsumexp by hand whose max() fails on an empty set."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma
        self.soft_plus = nn.Softplus()

    def forward(self, sp, sn):
        ap = torch.clamp_min(-sp.detach() + 1 + self.m, min=0.0)
        an = torch.clamp_min(sn.detach() + self.m, min=0.0)
        delta_p = 1 - self.m
        delta_n = self.m
        logit_p = -ap * (sp - delta_p) * self.gamma
        logit_n = an * (sn - delta_n) * self.gamma
        max_p, max_n = logit_p.max().detach(), logit_n.max().detach()
        lse_p = max_p + torch.log(torch.exp(logit_p - max_p).sum())
        lse_n = max_n + torch.log(torch.exp(logit_n - max_n).sum())
        return self.soft_plus(lse_n + lse_p)
