"""A table of the paper's numbers of channels, in which width has no place."""

import torch
from torch import nn

#         name    in   out  stride
STAGES = (
    ("layer1", 64, 64, 1),
    ("layer2", 64, 128, 2),
    ("layer3", 128, 256, 2),
    ("layer4", 256, 512, 2),
)


class BuildingBlock(nn.Module):
    def __init__(self, c_in, c_out, stride, use_norm):
        super().__init__()

        def pair(number, *shape, **options):
            conv = nn.Conv2d(*shape, bias=not use_norm, **options)
            norm = nn.BatchNorm2d(shape[1]) if use_norm else nn.Identity()
            setattr(self, f"conv{number}", conv)
            setattr(self, f"bn{number}", norm)

        pair(1, c_in, c_out, 3, stride=stride, padding=1)
        pair(2, c_out, c_out, 3, padding=1)
        if stride == 2:
            conv = nn.Conv2d(c_in, c_out, 1, stride=2, bias=not use_norm)
            self.downsample = nn.Sequential(conv, *([nn.BatchNorm2d(c_out)] if use_norm else []))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        try:
            x = self.downsample(x)
        except AttributeError:
            pass
        return torch.relu(x + y)


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(64) if batch_norm else nn.Identity()
        for name, c_in, c_out, stride in STAGES:
            first, second = (c_in, c_out, stride), (c_out, c_out, 1)
            self.add_module(name, nn.Sequential(*(BuildingBlock(*shape, batch_norm) for shape in (first, second))))
        self.fc = nn.Linear(512, num_classes)

    def features(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)
        for name, *_ in STAGES:
            x = self._modules[name](x)
        return x.mean(3).mean(2)

    def forward(self, x):
        return self.fc(self.features(x))
