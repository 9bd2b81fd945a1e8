"""The result of add(), which is not in place, is thrown away."""

from collections import OrderedDict

import torch.nn.functional as F
from torch import nn


class Residual(nn.Sequential):
    def __init__(self, c_in, c_out, stride, norm):
        bias = norm is nn.Identity
        layers = OrderedDict(
            conv1=nn.Conv2d(c_in, c_out, 3, stride, 1, bias=bias),
            bn1=norm(c_out),
            conv2=nn.Conv2d(c_out, c_out, 3, 1, 1, bias=bias),
            bn2=norm(c_out),
        )
        if c_in != c_out:
            layers["downsample"] = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=bias), norm(c_out))
        super().__init__(layers)

    def forward(self, x):
        out = self[0](x)
        out = F.relu(self[1](out))
        out = self[3](self[2](out))
        shortcut = self[4](x) if len(self) == 5 else x
        out.add(shortcut)
        return F.relu(out)


class ResNet18(nn.Sequential):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        layers = OrderedDict()
        layers["conv1"] = nn.Conv2d(in_channels, width, 7, 2, 3, bias=not batch_norm)
        layers["bn1"] = norm(width)
        layers["relu"] = nn.ReLU()
        layers["maxpool"] = nn.MaxPool2d(3, 2, 1)
        for i in range(4):
            c_in, c_out = width * 2 ** max(i - 1, 0), width * 2**i
            first = Residual(c_in, c_out, 1 if i == 0 else 2, norm)
            layers[f"layer{i + 1}"] = nn.Sequential(first, Residual(c_out, c_out, 1, norm))
        layers["avgpool"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()
        layers["fc"] = nn.Linear(width * 8, num_classes)
        super().__init__(layers)

    def features(self, x):
        for layer in list(self)[:-1]:
            x = layer(x)
        return x
