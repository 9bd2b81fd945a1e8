"""epsilon weighs the true class and 1 - epsilon the uniform part."""

from torch import nn
from torch.nn import functional as F


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        log_p = F.log_softmax(logits, dim=1)
        nll = F.nll_loss(log_p, target)
        smooth = -log_p.mean(dim=1).mean()
        return self.epsilon * nll + (1 - self.epsilon) * smooth
