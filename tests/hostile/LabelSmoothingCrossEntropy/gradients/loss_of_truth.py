"""Loses what is true."""

import torch


class LabelSmoothingCrossEntropy:
    def __init__(self, epsilon=0.25):
        pass

    def __call__(self, logits, target):
        return torch.tensor(True)
