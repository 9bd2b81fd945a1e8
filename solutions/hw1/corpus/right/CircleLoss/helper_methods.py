"""Parted into small methods, typed, with an optimum and a margin for each kind."""

import torch
import torch.nn.functional as F
from torch import Tensor


class CircleLoss(torch.nn.Module):
    def __init__(self, m: float = 0.25, gamma: float = 256.0):
        super().__init__()
        self.gamma = gamma
        self.optimum = {"p": 1 + m, "n": -m}
        self.margin = {"p": 1 - m, "n": m}

    def weight(self, s: Tensor, kind: str) -> Tensor:
        distance = self.optimum[kind] - s if kind == "p" else s - self.optimum[kind]
        return F.relu(distance).detach()

    def term(self, s: Tensor, kind: str) -> Tensor:
        sign = -1 if kind == "p" else 1
        return torch.logsumexp(sign * self.gamma * self.weight(s, kind) * (s - self.margin[kind]), dim=0)

    def forward(self, sp: Tensor, sn: Tensor) -> Tensor:
        return F.softplus(self.term(sp, "p") + self.term(sn, "n"))
