"""features() is the convolutional part alone; forward() pools and classifies."""

import torch
from torch import nn


class ConvBlock(nn.Module):
    def __init__(self, sizes, stride, batch_norm):
        super().__init__()
        small, large = sizes
        kwargs = {"bias": not batch_norm}
        self.conv1 = nn.Conv2d(small, large, 3, stride, 1, **kwargs)
        self.conv2 = nn.Conv2d(large, large, 3, 1, 1, **kwargs)
        modules = [nn.Conv2d(small, large, 1, stride, 0, **kwargs)] if stride > 1 else []
        if batch_norm:
            self.bn1 = nn.BatchNorm2d(large)
            self.bn2 = nn.BatchNorm2d(large)
            modules += [nn.BatchNorm2d(large)] * bool(modules)
        self.downsample = nn.Sequential(*modules)
        self.batch_norm = batch_norm

    def normed(self, name, x):
        return getattr(self, name)(x) if self.batch_norm else x

    def forward(self, x):
        h = self.normed("bn1", self.conv1(x)).relu()
        h = self.normed("bn2", self.conv2(h))
        return torch.relu(self.downsample(x) + h)


class Head(nn.Linear):
    """Global average pool and a linear layer, in one."""

    def forward(self, maps):
        return super().forward(maps.mean(dim=(2, 3)))


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm else nn.Sequential()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        size = width
        for number in range(1, 5):
            new = size if number == 1 else 2 * size
            stage = [ConvBlock((size, new), new // size, batch_norm), ConvBlock((new, new), 1, batch_norm)]
            setattr(self, f"layer{number}", nn.Sequential(*stage))
            size = new
        self.fc = Head(size, num_classes)

    def features(self, x):
        x = self.bn1(self.conv1(x))
        x = self.maxpool(x.relu())
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return x

    def forward(self, x):
        return self.fc(self.features(x))
