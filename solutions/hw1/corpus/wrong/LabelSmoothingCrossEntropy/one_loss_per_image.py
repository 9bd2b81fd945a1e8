"""One loss for each image: the mean over the batch is missing."""

import torch.nn.functional as F
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        log_p = F.log_softmax(logits, dim=1)
        nll = -log_p.gather(1, target.unsqueeze(1)).squeeze(1)
        smooth = -log_p.mean(dim=1)
        return (1 - self.epsilon) * nll + self.epsilon * smooth
