"""A function that gives back the loss: CircleLoss(m, gamma)(sp, sn) works without a class."""

import torch
from torch.nn.functional import softplus


def CircleLoss(m, gamma):
    def loss(sp, sn):
        ap = torch.clip(1 + m - sp.detach(), 0, None)
        an = torch.clip(sn.detach() + m, 0, None)
        p = torch.logsumexp(gamma * ap * (1 - m - sp), 0)
        n = torch.logsumexp(gamma * an * (sn - m), 0)
        return softplus(p + n)

    return loss
