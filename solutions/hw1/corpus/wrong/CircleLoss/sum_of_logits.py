"""The sum of the logits in place of their logsumexp."""

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
        pos = -self.gamma * alpha_p * (sp - (1 - self.m))
        neg = self.gamma * alpha_n * (sn - self.m)
        return F.softplus(pos.sum() + neg.sum())
