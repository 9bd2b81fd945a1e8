"""Never answers when asked for its state."""

import torch
from torch import nn


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.fc = nn.Linear(1, 1)

    def state_dict(self, *args, **kwargs):
        while True:
            pass
