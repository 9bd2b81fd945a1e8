"""Lazy layers find their input channels in a dry run."""

import torch
from torch import nn


class LazyBlock(nn.Module):
    def __init__(self, channels, stride, norm, bias):
        super().__init__()
        self.conv1 = nn.LazyConv2d(channels, 3, stride, padding=1, bias=bias)
        self.bn1 = norm()
        self.conv2 = nn.LazyConv2d(channels, 3, padding=1, bias=bias)
        self.bn2 = norm()
        if stride > 1:
            self.downsample = nn.Sequential(nn.LazyConv2d(channels, 1, stride, bias=bias), norm())
        else:
            self.downsample = nn.Identity()

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y))
        return (y + self.downsample(x)).relu()


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        norm, bias = (nn.LazyBatchNorm2d, False) if batch_norm else (nn.Identity, True)
        self.conv1 = nn.LazyConv2d(width, 7, stride=2, padding=3, bias=bias)
        self.bn1 = norm()
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(LazyBlock(width * 2**i, 2 if i else 1, norm, bias), LazyBlock(width * 2**i, 1, norm, bias))
            for i in range(4)
        )
        self.fc = nn.LazyLinear(num_classes)
        self.eval()
        with torch.no_grad():
            self(torch.zeros(1, in_channels, 32, 32))
        self.train()

    def features(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), kernel_size=3, stride=2, padding=1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return nn.functional.adaptive_avg_pool2d(x, (1, 1))[:, :, 0, 0]

    def forward(self, x):
        return self.fc(self.features(x))
