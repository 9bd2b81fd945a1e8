"""A generator yields the network's steps in turn, and the pool of the stem is not among them."""

import torch
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    def __init__(self, n_in: int, n_out: int, halve: bool, batch_norm: bool):
        super().__init__()
        step = 2 if halve else 1
        self.conv1 = nn.Conv2d(n_in, n_out, (3, 3), (step, step), (1, 1), bias=not batch_norm)
        self.conv2 = nn.Conv2d(n_out, n_out, (3, 3), (1, 1), (1, 1), bias=not batch_norm)
        self.downsample = nn.Sequential()
        if halve:
            self.downsample.append(nn.Conv2d(n_in, n_out, (1, 1), (step, step), bias=not batch_norm))
        if batch_norm:
            self.bn1, self.bn2 = nn.BatchNorm2d(n_out), nn.BatchNorm2d(n_out)
            if halve:
                self.downsample.append(nn.BatchNorm2d(n_out))
        else:
            self.bn1 = self.bn2 = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.bn1(self.conv1(x)).relu()
        return self.bn2(self.conv2(inner)).add(self.downsample(x)).relu()


class ResNet18(nn.Module):
    def __init__(self, num_classes: int = 10, in_channels: int = 3, width: int = 64, batch_norm: bool = True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, (7, 7), (2, 2), (3, 3), bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        n = width
        self.layer1 = nn.ModuleList([Unit(n, n, False, batch_norm), Unit(n, n, False, batch_norm)])
        self.layer2 = nn.ModuleList([Unit(n, 2 * n, True, batch_norm), Unit(2 * n, 2 * n, False, batch_norm)])
        self.layer3 = nn.ModuleList([Unit(2 * n, 4 * n, True, batch_norm), Unit(4 * n, 4 * n, False, batch_norm)])
        self.layer4 = nn.ModuleList([Unit(4 * n, 8 * n, True, batch_norm), Unit(8 * n, 8 * n, False, batch_norm)])
        self.fc = nn.Linear(8 * n, num_classes)

    def steps(self):
        yield self.conv1
        yield self.bn1
        yield F.relu
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            yield from stage
        yield lambda maps: maps.sum((2, 3)) / maps[0, 0].numel()

    def features(self, x: torch.Tensor) -> torch.Tensor:
        for step in self.steps():
            x = step(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.features(x))
