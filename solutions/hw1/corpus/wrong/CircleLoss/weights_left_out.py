"""No weights: that is the loss with margins before it is turned into a circle."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class CircleLoss(nn.Module):
    def __init__(self, m: float, gamma: float):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp: torch.Tensor, sn: torch.Tensor) -> torch.Tensor:
        pos = -self.gamma * (sp - (1 - self.m))
        neg = self.gamma * (sn - self.m)
        return F.softplus(pos.logsumexp(0) + neg.logsumexp(0))
