"""Has a state whose names are markup, half letters and a line turned around."""

import torch
from torch import nn


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.fc = nn.Linear(1, 1)

    def state_dict(self, *args, **kwargs):
        return {"<script>alert(1)</script>\ud800\u202e{stub}": torch.ones(1)}
