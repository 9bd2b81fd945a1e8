"""Blocks in a ModuleDict per stage, keyed "0" and "1"; layers taken by name."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, cin, cout, stride, batch_norm):
        super().__init__()
        layers = {
            "conv1": nn.Conv2d(cin, cout, 3, stride, 1, bias=not batch_norm),
            "conv2": nn.Conv2d(cout, cout, 3, 1, 1, bias=not batch_norm),
        }
        if batch_norm:
            layers |= {"bn1": nn.BatchNorm2d(cout), "bn2": nn.BatchNorm2d(cout)}
        if cin != cout:
            layers["downsample"] = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=not batch_norm))
            if batch_norm:
                layers["downsample"].append(nn.BatchNorm2d(cout))
        for name, layer in layers.items():
            self.add_module(name, layer)

    def run(self, name, x):
        return getattr(self, name)(x) if hasattr(self, name) else x

    def forward(self, x):
        out = self.run("bn1", self.run("conv1", x))
        out = self.run("bn2", self.run("conv2", F.relu(out, inplace=True)))
        return F.relu(out + self.run("downsample", x))


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, (7, 7), stride=(2, 2), padding=(3, 3), bias=not batch_norm)
        if batch_norm:
            self.bn1 = nn.BatchNorm2d(width)
        self.batch_norm = batch_norm
        cin = width
        for stage in (1, 2, 3, 4):
            cout = width << (stage - 1)
            blocks = {"0": Block(cin, cout, min(stage, 2), batch_norm), "1": Block(cout, cout, 1, batch_norm)}
            self.add_module(f"layer{stage}", nn.ModuleDict(blocks))
            cin = cout
        self.fc = nn.Linear(cin, num_classes)

    def features(self, x):
        x = self.conv1(x)
        if self.batch_norm:
            x = self.bn1(x)
        # padding with zeros is as good as with -inf after a ReLU
        x = F.max_pool2d(F.pad(F.relu(x), (1, 1, 1, 1)), 3, 2)
        for stage in (1, 2, 3, 4):
            for block in getattr(self, f"layer{stage}").values():
                x = block(x)
        return torch.stack([image.mean(dim=(1, 2)) for image in x])

    def forward(self, x):
        return self.fc(self.features(x))
