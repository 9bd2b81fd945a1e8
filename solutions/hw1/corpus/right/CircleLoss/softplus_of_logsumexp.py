"""The paper's equation line by line, typed."""

import torch
from torch import Tensor, nn


class CircleLoss(nn.Module):
    def __init__(self, m: float, gamma: float) -> None:
        super().__init__()
        self.optimum_p, self.optimum_n = 1 + m, -m
        self.margin_p, self.margin_n = 1 - m, m
        self.gamma = gamma

    def forward(self, sp: Tensor, sn: Tensor) -> Tensor:
        with torch.no_grad():
            weight_p = (self.optimum_p - sp).clamp(min=0)
            weight_n = (sn - self.optimum_n).clamp(min=0)

        exponent_p = self.gamma * weight_p * (self.margin_p - sp)
        exponent_n = self.gamma * weight_n * (sn - self.margin_n)

        total = torch.logsumexp(exponent_p, dim=0) + torch.logsumexp(exponent_n, dim=0)
        return nn.functional.softplus(total)
