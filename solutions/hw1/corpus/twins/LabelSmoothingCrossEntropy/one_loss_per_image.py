"""torch's own smoothing with reduction='none', left like that."""

from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.criterion = nn.CrossEntropyLoss(reduction="none", label_smoothing=epsilon)

    def forward(self, logits, target):
        losses = self.criterion(logits, target)
        return losses
