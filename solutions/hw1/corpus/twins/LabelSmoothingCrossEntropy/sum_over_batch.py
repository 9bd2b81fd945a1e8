"""A loop adds up the images' losses and never divides."""

from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.eps = epsilon

    def forward(self, logits, target):
        total = 0.0
        for row, label in zip(logits.log_softmax(dim=-1), target):
            total = total - (1 - self.eps) * row[label] - self.eps * row.mean()
        return total
