"""The network for 32x32 images of the paper's section 4.2 in front, the one of 4.1 behind."""

import itertools

import torch.nn.functional as F
from torch import nn


class ConvNorm:
    """Adds a convolution and its norm to a module, under names that belong together."""

    def __init__(self, batch_norm):
        self.batch_norm = batch_norm

    def __call__(self, owner, conv, bn, c_in, c_out, kernel, stride):
        layer = nn.Conv2d(c_in, c_out, kernel, stride, (kernel - 1) // 2, bias=not self.batch_norm)
        owner.add_module(conv, layer)
        if self.batch_norm:
            owner.add_module(bn, nn.BatchNorm2d(c_out))


def apply(owner, conv, bn, x):
    x = getattr(owner, conv)(x)
    return getattr(owner, bn)(x) if hasattr(owner, bn) else x


class Block(nn.Module):
    def __init__(self, c_in, c_out, conv_norm):
        super().__init__()
        conv_norm(self, "conv1", "bn1", c_in, c_out, 3, c_out // c_in)
        conv_norm(self, "conv2", "bn2", c_out, c_out, 3, 1)
        self.changes_shape = c_in != c_out
        if self.changes_shape:
            self.downsample = nn.Module()
            conv_norm(self.downsample, "0", "1", c_in, c_out, 1, c_out // c_in)

    def forward(self, x):
        skip = apply(self.downsample, "0", "1", x) if self.changes_shape else x
        inner = F.relu(apply(self, "conv1", "bn1", x))
        return F.relu(skip + apply(self, "conv2", "bn2", inner))


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        conv_norm = ConvNorm(batch_norm)
        conv_norm(self, "conv1", "bn1", in_channels, width, 3, 1)
        channels = [width, width, 2 * width, 4 * width, 8 * width]
        for i, (c_in, c_out) in enumerate(itertools.pairwise(channels), start=1):
            self.add_module(f"layer{i}", nn.Sequential(Block(c_in, c_out, conv_norm), Block(c_out, c_out, conv_norm)))
        self.fc = nn.Linear(channels[-1], num_classes)

    def features(self, x):
        x = F.relu(apply(self, "conv1", "bn1", x))
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        return F.adaptive_avg_pool2d(x, (1, 1)).squeeze(3).squeeze(2)

    def forward(self, x):
        return self.fc(self.features(x))
