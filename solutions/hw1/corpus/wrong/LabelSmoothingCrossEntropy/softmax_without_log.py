"""softmax where log_softmax belongs."""

import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        p = F.softmax(logits, dim=1)
        nll = -p.gather(1, target.unsqueeze(1)).squeeze(1)
        smooth = -p.mean(dim=1)
        return ((1 - self.epsilon) * nll + self.epsilon * smooth).mean()
