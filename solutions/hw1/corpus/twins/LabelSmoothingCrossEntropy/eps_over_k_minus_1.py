"""The hard loss and the mean over the other classes, weighed 1 - epsilon and epsilon."""

import torch
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon: float = 0.25) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        minus_log_p = torch.logsumexp(logits, dim=1, keepdim=True) - logits
        is_true = torch.arange(logits.size(1), device=logits.device) == target[:, None]
        right = minus_log_p[is_true]
        wrong = minus_log_p.masked_fill(is_true, 0.0).sum(dim=1)
        share = self.epsilon / (logits.size(1) - 1)
        return torch.mean((1.0 - self.epsilon) * right + share * wrong)
