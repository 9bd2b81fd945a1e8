"""A ReLU on the logits."""

import torch
import torch.nn as nn


def norm(channels: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()


class ResidualBlock(nn.Module):
    def __init__(self, inp: int, out: int, stride: int, batch_norm: bool):
        super().__init__()
        self.conv1 = nn.Conv2d(inp, out, 3, stride, 1, bias=not batch_norm)
        self.bn1 = norm(out, batch_norm)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=not batch_norm)
        self.bn2 = norm(out, batch_norm)
        if stride == 2:
            self.downsample = nn.Sequential(
                nn.Conv2d(inp, out, 1, stride, bias=not batch_norm), norm(out, batch_norm)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual = self.downsample(x) if hasattr(self, "downsample") else x
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + residual)


class ResNet18(nn.Module):
    def __init__(self, num_classes: int = 10, in_channels: int = 3, width: int = 64, batch_norm: bool = True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=not batch_norm)
        self.bn1 = norm(width, batch_norm)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = [width, width, 2 * width, 4 * width, 8 * width]
        for i in range(4):
            blocks = [
                ResidualBlock(channels[i], channels[i + 1], 1 if i == 0 else 2, batch_norm),
                ResidualBlock(channels[i + 1], channels[i + 1], 1, batch_norm),
            ]
            setattr(self, f"layer{i + 1}", nn.ModuleList(blocks))
        self.fc = nn.Linear(channels[-1], num_classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in stage:
                x = block(x)
        return x.mean(dim=[2, 3])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.fc(self.features(x)))
