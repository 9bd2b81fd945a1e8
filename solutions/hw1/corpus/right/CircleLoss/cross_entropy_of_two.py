"""Cross-entropy of two logits, 0 and x: its loss for class 0 is softplus(x)."""

import torch
import torch.nn.functional as F


class CircleLoss(torch.nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
        self.register_buffer("m", torch.tensor(m))
        self.register_buffer("gamma", torch.tensor(gamma))

    def forward(self, sp, sn):
        if not len(sp) or not len(sn):
            return 0 * sp.sum() + 0 * sn.sum()
        ap = F.relu(1 + self.m - sp).detach()
        an = F.relu(sn + self.m).detach()
        x = torch.logsumexp(-self.gamma * ap * (sp - (1 - self.m)), 0)
        x = x + torch.logsumexp(self.gamma * an * (sn - self.m), 0)
        logits = torch.stack([torch.zeros_like(x), x])
        return F.cross_entropy(logits.unsqueeze(0), torch.tensor([0]))
