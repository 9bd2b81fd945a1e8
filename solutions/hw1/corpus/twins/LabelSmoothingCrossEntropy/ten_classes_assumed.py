"""epsilon / 10 is added to whatever number of targets there is."""

import torch
import torch.nn.functional as F


class LabelSmoothingCrossEntropy(torch.nn.Module):
    NUM_CLASSES = 10

    def __init__(self, epsilon=0.25):
        super().__init__()
        self.off_value = epsilon / self.NUM_CLASSES
        self.on_value = 1 - epsilon + self.off_value

    def forward(self, logits, target):
        q = logits.new_full(logits.shape, self.off_value)
        q.scatter_(1, target.unsqueeze(-1), self.on_value)
        return (q * -F.log_softmax(logits, dim=-1)).sum(-1).mean(0)
