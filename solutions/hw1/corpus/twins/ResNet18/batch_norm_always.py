"""`is not None` for truth: False is not None either."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn


class Stage(nn.Sequential):
    def __init__(self, channels_in, channels_out, stride, conv, norm):
        super().__init__(
            Block(channels_in, channels_out, stride, conv, norm), Block(channels_out, channels_out, 1, conv, norm)
        )


class Block(nn.Module):
    def __init__(self, channels_in, channels_out, stride, conv, norm):
        super().__init__()
        self.conv1 = conv(channels_in, channels_out, 3, stride=stride, padding=1)
        self.bn1 = norm(channels_out)
        self.conv2 = conv(channels_out, channels_out, 3, stride=1, padding=1)
        self.bn2 = norm(channels_out)
        self.downsample = nn.Identity()
        if (channels_in, stride) != (channels_out, 1):
            self.downsample = nn.Sequential(conv(channels_in, channels_out, 1, stride=stride), norm(channels_out))

    def forward(self, x):
        shortcut = self.downsample(x)
        x = self.bn1(self.conv1(x)).relu_()
        x = self.bn2(self.conv2(x))
        x += shortcut
        return x.relu_()


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        conv = partial(nn.Conv2d, bias=batch_norm is False)
        norm = nn.BatchNorm2d if batch_norm is not None else nn.Identity
        self.conv1 = conv(in_channels, width, 7, stride=2, padding=3)
        self.bn1 = norm(width)
        sizes = [width * factor for factor in (1, 1, 2, 4, 8)]
        for i in range(1, 5):
            setattr(self, "layer%d" % i, Stage(sizes[i - 1], sizes[i], 1 + (i > 1), conv, norm))
        self.fc = nn.Linear(sizes[-1], num_classes)

    def features(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        stages = [self.layer1, self.layer2, self.layer3, self.layer4]
        while stages:
            x = stages.pop(0)(x)
        return F.avg_pool2d(x, x.shape[-2:]).reshape(len(x), -1)

    def forward(self, x):
        return torch.addmm(self.fc.bias, self.features(x), self.fc.weight.t())
