"""A loss with a backward pass of its own."""

import torch
from torch import nn


class _LS(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, eps):
        k = logits.size(1)
        logp = logits.log_softmax(1)
        t = torch.full_like(logits, eps / k)
        t[torch.arange(len(target)), target] += 1 - eps
        ctx.save_for_backward(logp, t)
        return -(t * logp).sum(1).mean()

    @staticmethod
    def backward(ctx, grad):
        logp, t = ctx.saved_tensors
        return grad * (logp.exp() - t) / len(t), None, None


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        return _LS.apply(logits, target, self.epsilon)
