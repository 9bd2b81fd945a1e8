"""No nn.Module: a class with __call__."""

import torch


class LabelSmoothingCrossEntropy:
    def __init__(self, epsilon=0.25):
        self.epsilon = epsilon

    def __call__(self, logits, target):
        shifted = logits - logits.amax(dim=1, keepdim=True).detach()
        log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
        nll = -log_p[torch.arange(target.numel()), target]
        return torch.lerp(nll, -log_p.mean(dim=1), self.epsilon).mean()
