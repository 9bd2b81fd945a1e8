"""A network with norms is built first, and without batch_norm they are swapped for nothing."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels, widening):
        super().__init__()
        out = channels * widening
        self.conv1 = nn.Conv2d(channels, out, 3, widening, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        if widening == 2:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, 2, bias=False), nn.BatchNorm2d(out))
        else:
            self.downsample = nn.Sequential()

    def forward(self, x):
        branch = nn.functional.relu(self.bn1(self.conv1(x)))
        branch = self.bn2(self.conv2(branch))
        return nn.functional.relu(torch.stack([branch, self.downsample(x)]).sum(0))


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(width, 1), Block(width, 1))
        self.layer2 = nn.Sequential(Block(width, 2), Block(2 * width, 1))
        self.layer3 = nn.Sequential(Block(2 * width, 2), Block(4 * width, 1))
        self.layer4 = nn.Sequential(Block(4 * width, 2), Block(8 * width, 1))
        self.fc = nn.Linear(8 * width, num_classes)
        if not batch_norm:
            self.drop_norms(self)

    def drop_norms(self, module):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
            else:
                self.drop_norms(child)

    def features(self, x):
        for name in ("conv1", "bn1"):
            x = getattr(self, name)(x)
        x = self.maxpool(x.relu())
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = getattr(self, name)(x)
        return x.view(*x.shape[:2], -1).mean(-1)

    def forward(self, x):
        return self.fc(self.features(x))
