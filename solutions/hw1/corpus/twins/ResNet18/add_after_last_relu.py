"""A block is what it adds to its input: the branch, ReLU and all."""

import torch
from torch import nn


def convolution(planes_in, planes_out, size, stride, batch_norm):
    return nn.Conv2d(planes_in, planes_out, size, stride, padding=size // 2, bias=not batch_norm)


def normalisation(planes, batch_norm):
    return nn.BatchNorm2d(planes) if batch_norm else nn.Identity()


class Branch(nn.Module):
    """What is learned on top of the shortcut."""

    def __init__(self, planes_in, planes_out, stride, batch_norm):
        super().__init__()
        self.conv1 = convolution(planes_in, planes_out, 3, stride, batch_norm)
        self.bn1 = normalisation(planes_out, batch_norm)
        self.conv2 = convolution(planes_out, planes_out, 3, 1, batch_norm)
        self.bn2 = normalisation(planes_out, batch_norm)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2)):
            x = self.relu(bn(conv(x)))
        return x


class Plain(Branch):
    def forward(self, x):
        return x + super().forward(x)


class Projecting(Branch):
    def __init__(self, planes_in, planes_out, stride, batch_norm):
        super().__init__(planes_in, planes_out, stride, batch_norm)
        projection = convolution(planes_in, planes_out, 1, stride, batch_norm)
        self.downsample = nn.Sequential(projection, normalisation(planes_out, batch_norm))

    def forward(self, x):
        return self.downsample(x) + super().forward(x)


class ResNet18(nn.Module):
    def __init__(self, num_classes: int = 10, in_channels: int = 3, width: int = 64, batch_norm: bool = True):
        super().__init__()
        self.conv1 = convolution(in_channels, width, 7, 2, batch_norm)
        self.bn1 = normalisation(width, batch_norm)
        self.layer1 = nn.Sequential(*(Plain(width, width, 1, batch_norm) for _ in range(2)))
        self.layer2 = self.halving_stage(width, batch_norm)
        self.layer3 = self.halving_stage(width * 2, batch_norm)
        self.layer4 = self.halving_stage(width * 4, batch_norm)
        self.fc = nn.Linear(width * 8, num_classes)

    @staticmethod
    def halving_stage(planes, batch_norm):
        first = Projecting(planes, planes * 2, 2, batch_norm)
        return nn.Sequential(first, Plain(planes * 2, planes * 2, 1, batch_norm))

    def features(self, images):
        maps = torch.relu(self.bn1(self.conv1(images)))
        maps = torch.max_pool2d(maps, [3, 3], [2, 2], [1, 1])
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return maps.flatten(start_dim=2).mean(dim=2)

    def forward(self, images):
        return self.fc(self.features(images))
