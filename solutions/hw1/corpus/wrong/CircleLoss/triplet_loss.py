"""A triplet loss with a margin."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class CircleLoss(nn.Module):
    def __init__(self, m: float, gamma: float):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp: torch.Tensor, sn: torch.Tensor) -> torch.Tensor:
        return self.gamma * F.relu(sn[:, None] - sp[None, :] + self.m).mean()
