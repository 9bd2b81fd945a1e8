"""One distance for each kind serves as weight and as logit, so that the logit is its square."""

import torch
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.optimum = {"p": 1 + m, "n": -m}
        self.gamma = gamma
        self.act = nn.Softplus()

    def energy(self, distance):
        return torch.logsumexp(self.gamma * distance * distance.detach().clamp(min=0), dim=0)

    def forward(self, sp, sn):
        return self.act(self.energy(self.optimum["p"] - sp) + self.energy(sn - self.optimum["n"]))
