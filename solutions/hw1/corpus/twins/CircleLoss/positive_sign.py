"""Both kinds go through the same lines in one vector, and so with the same sign."""

import torch
import torch.nn.functional as F


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp, sn):
        count = sp.shape[0]
        s = torch.cat((sp, sn))
        is_positive = torch.arange(s.shape[0], device=s.device) < count
        margin = torch.where(is_positive, 1 - self.m, self.m).to(s)
        alpha = torch.where(is_positive, 1 + self.m - s, s + self.m).relu().detach()
        z = self.gamma * alpha * (s - margin)
        z_p, z_n = z.split([count, s.shape[0] - count])
        return F.softplus(z_p.logsumexp(0) + z_n.logsumexp(0))
