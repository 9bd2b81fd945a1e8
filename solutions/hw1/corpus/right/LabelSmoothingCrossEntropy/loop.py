"""A Python loop over the images of the batch."""

from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        total = 0
        for row, label in zip(logits, target.tolist()):
            log_p = row.log_softmax(dim=0)
            total = total - (1 - self.epsilon) * log_p[label] - self.epsilon * sum(log_p) / len(log_p)
        return total / len(logits)
