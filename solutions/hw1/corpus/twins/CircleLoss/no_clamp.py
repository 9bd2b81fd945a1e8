"""Both factors written as differences, signs multiplied out, and the brackets' plus overlooked."""

import torch
import torch.nn.functional as F


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.relaxation, self.scale_factor = m, gamma

    def forward(self, sp, sn):
        m = self.relaxation
        fixed_p, fixed_n = sp.clone().detach(), sn.clone().detach()
        # -(1 + m - sp) (sp - (1 - m)) = (sp - 1 - m) (sp - 1 + m)
        z_p = (fixed_p - 1 - m).mul(sp - 1 + m)
        z_n = (fixed_n + m).mul(sn - m)
        exponent = sum(torch.logsumexp(self.scale_factor * z, -1) for z in (z_p, z_n))
        return -F.logsigmoid(-exponent)
