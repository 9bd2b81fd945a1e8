"""The layers hold weights only; the forward pass is written with torch.nn.functional."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_norm(x, conv, bn, stride=1, padding=1):
    x = F.conv2d(x, conv.weight, conv.bias, stride=stride, padding=padding)
    if bn is None:
        return x
    if bn.training:
        bn.num_batches_tracked.add_(1)
    return F.batch_norm(
        x, bn.running_mean, bn.running_var, bn.weight, bn.bias, training=bn.training, momentum=0.1, eps=1e-5
    )


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, batch_norm):
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(c_in, c_out, 3, bias=not batch_norm)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(c_out) if batch_norm else None
        self.bn2 = nn.BatchNorm2d(c_out) if batch_norm else None
        self.downsample = None
        if stride > 1:
            self.downsample = nn.ModuleList([nn.Conv2d(c_in, c_out, 1, bias=not batch_norm)])
            if batch_norm:
                self.downsample.append(nn.BatchNorm2d(c_out))

    def forward(self, x):
        y = conv_norm(x, self.conv1, self.bn1, self.stride)
        y = conv_norm(F.relu(y), self.conv2, self.bn2)
        if self.downsample is not None:
            bn = self.downsample[1] if len(self.downsample) == 2 else None
            x = conv_norm(x, self.downsample[0], bn, self.stride, padding=0)
        return F.relu(torch.add(x, y))


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 7, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm else None
        self.layer1 = nn.ModuleList([Block(width, width, 1, batch_norm), Block(width, width, 1, batch_norm)])
        self.layer2 = nn.ModuleList(
            [Block(width, 2 * width, 2, batch_norm), Block(2 * width, 2 * width, 1, batch_norm)]
        )
        self.layer3 = nn.ModuleList(
            [Block(2 * width, 4 * width, 2, batch_norm), Block(4 * width, 4 * width, 1, batch_norm)]
        )
        self.layer4 = nn.ModuleList(
            [Block(4 * width, 8 * width, 2, batch_norm), Block(8 * width, 8 * width, 1, batch_norm)]
        )
        self.fc = nn.Linear(8 * width, num_classes)

    def features(self, x):
        x = F.relu(conv_norm(x, self.conv1, self.bn1, stride=2, padding=3))
        x = F.max_pool2d(x, 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in layer:
                x = block(x)
        return torch.einsum("nchw->nc", x) / (x.shape[2] * x.shape[3])

    def forward(self, x):
        return F.linear(self.features(x), self.fc.weight, self.fc.bias)
