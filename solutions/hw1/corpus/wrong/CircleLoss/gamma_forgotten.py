"""gamma is stored and never used."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class CircleLoss(nn.Module):
    def __init__(self, m: float, gamma: float):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp: torch.Tensor, sn: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            alpha_p = F.relu(1 + self.m - sp)
            alpha_n = F.relu(sn + self.m)
        pos = -alpha_p * (sp - (1 - self.m))
        neg = alpha_n * (sn - self.m)
        return F.softplus(pos.logsumexp(0) + neg.logsumexp(0))
