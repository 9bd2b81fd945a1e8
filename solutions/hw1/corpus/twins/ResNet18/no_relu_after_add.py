"""Blocks are dictionaries of layers and one function runs them; it ends with the sum."""

import torch
import torch.nn.functional as F
from torch import nn


def make_block(fan_in, fan_out, stride, batch_norm):
    def norm():
        return nn.BatchNorm2d(fan_out) if batch_norm else nn.Identity()

    parts = {
        "conv1": nn.Conv2d(fan_in, fan_out, kernel_size=3, stride=stride, padding=1, bias=not batch_norm),
        "bn1": norm(),
        "conv2": nn.Conv2d(fan_out, fan_out, kernel_size=3, padding=1, bias=not batch_norm),
        "bn2": norm(),
    }
    if stride > 1:
        projection = nn.Conv2d(fan_in, fan_out, kernel_size=1, stride=stride, bias=not batch_norm)
        parts["downsample"] = nn.ModuleList([projection, norm()])
    return nn.ModuleDict(parts)


def run_block(block, x):
    y = F.threshold(block["bn1"](block["conv1"](x)), 0.0, 0.0)
    y = block["bn2"](block["conv2"](y))
    for layer in block["downsample"] if "downsample" in block else ():
        x = layer(x)
    return torch.add(y, x)


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, kernel_size=7, stride=2, padding=3, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        self.fc = nn.Linear(8 * width, num_classes)
        previous = width
        for stage, factor in enumerate((1, 2, 4, 8), start=1):
            stride = 1 if stage == 1 else 2
            blocks = [make_block(previous, factor * width, stride, batch_norm)]
            previous = factor * width
            blocks.append(make_block(previous, previous, 1, batch_norm))
            self.add_module(f"layer{stage}", nn.ModuleList(blocks))

    def features(self, x):
        x = F.threshold(self.bn1(self.conv1(x)), 0.0, 0.0)
        x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        for stage in range(1, 5):
            for block in self.get_submodule(f"layer{stage}"):
                x = run_block(block, x)
        return torch.einsum("nchw->nc", x) / (x.shape[2] * x.shape[3])

    def forward(self, x):
        return F.linear(self.features(x), self.fc.weight, self.fc.bias)
