"""epsilon is 0.1 whatever the argument says."""

from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.1)

    def forward(self, logits, target):
        return self.loss(logits, target)
