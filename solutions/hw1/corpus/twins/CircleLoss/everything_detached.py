"""The whole forward pass stands under no_grad, which was meant for the weights."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    @torch.no_grad()
    def forward(self, sp, sn):
        alpha_p = nn.functional.threshold(1 + self.m - sp, 0.0, 0.0)
        alpha_n = nn.functional.threshold(sn + self.m, 0.0, 0.0)
        logits = [self.gamma * alpha_n * (sn - self.m), self.gamma * alpha_p * (1 - self.m - sp)]
        return nn.functional.softplus(sum(z.logsumexp(0) for z in logits))
