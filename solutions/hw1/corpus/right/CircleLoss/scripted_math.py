"""The arithmetic as a scripted function, in a loss that inherits from another."""

import torch
from torch import nn


@torch.jit.script
def circle(sp: torch.Tensor, sn: torch.Tensor, m: float, gamma: float) -> torch.Tensor:
    ap = torch.relu(1.0 + m - sp).detach()
    an = torch.relu(sn + m).detach()
    p = torch.logsumexp(-gamma * ap * (sp - (1.0 - m)), dim=0)
    n = torch.logsumexp(gamma * an * (sn - m), dim=0)
    return torch.nn.functional.softplus(p + n)


class PairLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = float(m), float(gamma)


class CircleLoss(PairLoss):
    def forward(self, sp, sn):
        return circle(sp, sn, self.m, self.gamma)
