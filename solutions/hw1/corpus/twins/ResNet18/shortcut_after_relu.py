"""x is overwritten by the first half of the block, before an identity shortcut looks at it."""

from functools import partial

import torch
from torch import nn

conv3x3 = partial(nn.Conv2d, kernel_size=3, padding=1)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride, norm_layer):
        super().__init__()
        bias = norm_layer is nn.Identity
        self.conv1 = conv3x3(inplanes, planes, stride=stride, bias=bias)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes, stride=1, bias=bias)
        self.bn2 = norm_layer(planes)
        if stride != 1 or inplanes != planes * self.expansion:
            projection = nn.Conv2d(inplanes, planes, kernel_size=1, stride=stride, bias=bias)
            self.downsample = nn.Sequential(projection, norm_layer(planes))
        else:
            self.downsample = None

    def forward(self, x):
        projected = None if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(x))
        if projected is None:
            projected = x
        return self.relu(residual + projected)


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes, in_channels, width, norm_layer):
        super().__init__()
        self.inplanes = width
        self.conv1 = nn.Conv2d(in_channels, width, 7, stride=2, padding=3, bias=norm_layer is nn.Identity)
        self.bn1 = norm_layer(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for i, blocks in enumerate(layers):
            setattr(self, f"layer{i + 1}", self._make_layer(block, width << i, blocks, min(i, 1) + 1, norm_layer))
        self.fc = nn.Linear((width << 3) * block.expansion, num_classes)

    def _make_layer(self, block, planes, blocks, stride, norm_layer):
        layers = nn.Sequential()
        for i in range(blocks):
            layers.append(block(self.inplanes, planes, stride if i == 0 else 1, norm_layer))
            self.inplanes = planes * block.expansion
        return layers

    def features(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.mean(x, dim=(-1, -2))

    def forward(self, x):
        return self.fc(self.features(x))


class ResNet18(ResNet):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        norm_layer = nn.BatchNorm2d if batch_norm else nn.Identity
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes, in_channels, width, norm_layer)
