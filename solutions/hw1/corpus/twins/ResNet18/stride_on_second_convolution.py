"""A block reads its strides off a list, and the list has them the wrong way round."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TwoConvolutions(nn.Module):
    def __init__(self, inside: int, outside: int, strides: list[int], batch_norm: bool):
        super().__init__()
        channels = [inside, outside, outside]
        for i, stride in enumerate(strides):
            conv = nn.Conv2d(channels[i], channels[i + 1], 3, stride, "valid", bias=not batch_norm)
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"bn{i + 1}", nn.BatchNorm2d(outside) if batch_norm else nn.Identity())
        if max(strides) > 1:
            shortcut = [nn.Conv2d(inside, outside, 1, max(strides), bias=not batch_norm)]
            if batch_norm:
                shortcut.append(nn.BatchNorm2d(outside))
            self.add_module("downsample", nn.Sequential(*shortcut))

    def forward(self, x: Tensor) -> Tensor:
        ring = (1, 1, 1, 1)  # one pixel of zeros on each side
        y = F.relu(self.bn1(self.conv1(F.pad(x, ring))))
        y = self.bn2(self.conv2(F.pad(y, ring)))
        return F.relu(y + (self.downsample(x) if "downsample" in self._modules else x))


class ResNet18(nn.Module):
    def __init__(self, num_classes: int = 10, in_channels: int = 3, width: int = 64, batch_norm: bool = True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()

        def stage(inside: int, outside: int) -> nn.ModuleList:
            strides = [1, outside // inside]
            return nn.ModuleList(
                [
                    TwoConvolutions(inside, outside, strides, batch_norm),
                    TwoConvolutions(outside, outside, [1, 1], batch_norm),
                ]
            )

        w = width
        self.layer1, self.layer2 = stage(w, w), stage(w, 2 * w)
        self.layer3, self.layer4 = stage(2 * w, 4 * w), stage(4 * w, 8 * w)
        self.fc = nn.Linear(8 * w, num_classes)

    def features(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)
        for block in [*self.layer1, *self.layer2, *self.layer3, *self.layer4]:
            x = block(x)
        return torch.flatten(F.adaptive_avg_pool2d(x, 1), start_dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))
