"""Probabilities are clamped away from zero before the logarithm."""

import torch
import torch.nn.functional as F


class LabelSmoothingCrossEntropy(torch.nn.Module):
    def __init__(self, epsilon: float = 0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        p = F.softmax(logits, dim=-1).clamp(min=1e-30)
        smooth = -p.log().mean(dim=-1)
        nll = -p.log()[torch.arange(logits.size(0)), target]
        return torch.mean((1 - self.epsilon) * nll + self.epsilon * smooth)
