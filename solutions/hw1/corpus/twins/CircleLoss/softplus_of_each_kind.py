"""The two kinds are stacked and the softplus taken of each before they are added."""

import torch


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        m = self.m
        zero = torch.zeros((), dtype=sp.dtype, device=sp.device)
        a_p = torch.where(sp < 1 + m, 1 + m - sp, zero).detach()
        a_n = torch.where(sn > -m, sn + m, zero).detach()
        kinds = torch.stack(
            (
                (a_p * (1 - m - sp) * self.gamma).logsumexp(0),
                (a_n * (sn - m) * self.gamma).logsumexp(0),
            )
        )
        return torch.logaddexp(kinds, torch.zeros_like(kinds)).sum()
