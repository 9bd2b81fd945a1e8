"""A right ResNet18, built from one helper that makes a convolution with or without its norm."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, cin, cout, stride, batch_norm):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, kernel_size=3, stride=stride, padding=1, bias=not batch_norm)
        self.conv2 = nn.Conv2d(cout, cout, kernel_size=3, padding=1, bias=not batch_norm)
        if batch_norm:
            self.bn1 = nn.BatchNorm2d(cout)
            self.bn2 = nn.BatchNorm2d(cout)
        self.batch_norm = batch_norm
        self.relu = nn.ReLU()
        if stride > 1 or cin != cout:
            layers = [nn.Conv2d(cin, cout, kernel_size=1, stride=stride, bias=not batch_norm)]
            if batch_norm:
                layers.append(nn.BatchNorm2d(cout))
            self.downsample = nn.Sequential(*layers)

    def forward(self, x):
        out = self.conv1(x)
        if self.batch_norm:
            out = self.bn1(out)
        out = self.conv2(self.relu(out))
        if self.batch_norm:
            out = self.bn2(out)
        identity = self.downsample(x) if hasattr(self, "downsample") else x
        return self.relu(out + identity)


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=not batch_norm)
        if batch_norm:
            self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = width
        for i in range(4):
            out = width * 2**i
            stage = nn.Sequential(
                Block(channels, out, 1 if i == 0 else 2, batch_norm), Block(out, out, 1, batch_norm)
            )
            setattr(self, f"layer{i + 1}", stage)
            channels = out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)

    def features(self, x):
        x = self.conv1(x)
        if hasattr(self, "bn1"):
            x = self.bn1(x)
        x = self.maxpool(self.relu(x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.flatten(self.avgpool(x), 1)

    def forward(self, x):
        return self.fc(self.features(x))
