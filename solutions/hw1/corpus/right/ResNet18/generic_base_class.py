"""A ResNet of any depth, of which ResNet18 is one; zero-initialised residual branches."""

import torch.nn as nn
import torch.nn.functional as F


class Basic(nn.Module):
    def __init__(self, c_in, c_out, stride, norm):
        super().__init__()
        bias = norm is nn.Identity
        self.bn2 = norm(c_out)
        self.bn1 = norm(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=bias)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=bias)
        self.downsample = nn.Identity()
        if (c_in, stride) != (c_out, 1):
            self.downsample = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=bias), norm(c_out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.downsample(x) + self.bn2(self.conv2(y)))


class ResNet(nn.Module):
    def __init__(self, block, depths, num_classes, in_channels, width, norm):
        super().__init__()
        self.fc = nn.Linear(width * 2 ** (len(depths) - 1), num_classes)
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=norm is nn.Identity)
        self.bn1 = norm(width)
        c_in = width
        self.stages = []
        for i, depth in enumerate(depths):
            c_out = width * 2**i
            blocks = []
            for j in range(depth):
                blocks.append(block(c_in, c_out, 2 if i > 0 and j == 0 else 1, norm))
                c_in = c_out
            name = f"layer{i + 1}"
            self.add_module(name, nn.Sequential(*blocks))
            self.stages.append(name)
        for m in self.modules():
            if isinstance(m, block) and hasattr(m.bn2, "weight"):
                nn.init.zeros_(m.bn2.weight)

    def features(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        for name in self.stages:
            x = getattr(self, name)(x)
        return F.adaptive_avg_pool2d(x, 1).flatten(1)

    def forward(self, x):
        return self.fc(self.features(x))


class ResNet18(ResNet):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        super().__init__(Basic, [2, 2, 2, 2], num_classes, in_channels, width, norm)
