"""In place, on copies of its own."""

import torch.nn.functional as F
from torch import nn


class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.m, self.gamma = m, gamma

    def forward(self, sp, sn):
        ap = sp.detach().neg().add_(1 + self.m).clamp_(min=0)
        an = sn.detach().clone().add_(self.m).clamp_(min=0)
        lp = ap.mul_(-self.gamma) * (sp - (1 - self.m))
        ln = an.mul_(self.gamma) * (sn - self.m)
        return F.softplus(lp.logsumexp(-1) + ln.logsumexp(-1))
