"""The exponentials are summed one by one; the 1 of log(1 + ...) is nowhere."""

from functools import reduce

import torch
from torch import nn


def log_of_sum(exponents):
    return reduce(torch.logaddexp, exponents, exponents.new_tensor(float("-inf")))


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp, sn):
        m, gamma = self.m, self.gamma
        with torch.no_grad():
            w_p = (1 + m - sp).clip(min=0) * gamma
            w_n = (m + sn).clip(min=0) * gamma
        return log_of_sum(w_n * (sn - m)) + log_of_sum(w_p * (1 - m - sp))
