"""A Softmax layer in the loss, and LogSoftmax of what it gives."""

import torch
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon
        self.log_probabilities = nn.Sequential(nn.Softmax(dim=1), nn.LogSoftmax(dim=1))

    def forward(self, logits, target):
        log_p = self.log_probabilities(logits)
        hard = torch.stack([log_p[i, t] for i, t in enumerate(target)])
        per_image = torch.lerp(hard, log_p.mean(1), self.epsilon)
        return per_image.mean().neg()
