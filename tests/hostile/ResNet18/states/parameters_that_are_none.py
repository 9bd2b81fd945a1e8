"""Has parameters that are none."""

import torch
from torch import nn


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.fc = nn.Linear(1, 1)

    def named_parameters(self, *args, **kwargs):
        return iter(
            [
                ("a", nn.Parameter(torch.ones(1, dtype=torch.int64), requires_grad=False)),
                (3, nn.Parameter(torch.ones(2, 0))),
            ]
        )
