"""squeeze() without an axis turns a batch of one image into no batch."""

import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        log_p = F.log_softmax(logits, dim=1).squeeze()
        nll = -log_p[range(len(target)), target]
        return ((1 - self.epsilon) * nll - self.epsilon * log_p.mean(dim=1)).mean()
