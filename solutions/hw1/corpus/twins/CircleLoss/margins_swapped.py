"""Sign, optimum and margin of each kind in a table, where the margins have changed places."""

import torch


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.gamma = gamma
        # sign, optimum, margin
        self.table = [(-1.0, 1 + m, m), (1.0, -m, 1 - m)]

    def forward(self, sp, sn):
        total = sp.new_zeros(())
        for values, (sign, optimum, margin) in zip([sp, sn], self.table):
            pull = (sign * (values - optimum)).clamp_min(0.0).detach()
            total = total + torch.logsumexp(sign * self.gamma * pull * (values - margin), 0)
        return torch.nn.functional.softplus(total)
