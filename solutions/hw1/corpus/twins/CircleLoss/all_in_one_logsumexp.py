"""A zero, the negatives and the positives in one list of exponents."""

import torch


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        exponents = [sp.new_zeros(1)]  # the 1 of log(1 + ...)
        for s, sign in ((sn, 1), (sp, -1)):
            optimum, margin = (-self.m, self.m) if sign > 0 else (1 + self.m, 1 - self.m)
            weight = torch.relu(sign * (s - optimum)).data
            exponents.append(sign * self.gamma * weight * (s - margin))
        return torch.logsumexp(torch.cat(exponents), dim=0)
