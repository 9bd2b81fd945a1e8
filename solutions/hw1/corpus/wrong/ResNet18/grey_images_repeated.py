"""in_channels=1 is met by repeating the image three times, so that conv1 has the wrong shape."""

import torch.nn as nn
import torch.nn.functional as F


def conv3x3(cin, cout, stride, bias):
    return nn.Conv2d(cin, cout, 3, stride=stride, padding=1, bias=bias)


class Block(nn.Module):
    def __init__(self, cin, cout, stride, use_bn):
        super().__init__()
        self.conv1 = conv3x3(cin, cout, stride, bias=not use_bn)
        self.bn1 = nn.BatchNorm2d(cout) if use_bn else nn.Identity()
        self.conv2 = conv3x3(cout, cout, 1, bias=not use_bn)
        self.bn2 = nn.BatchNorm2d(cout) if use_bn else nn.Identity()
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride=stride, bias=not use_bn),
                nn.BatchNorm2d(cout) if use_bn else nn.Identity(),
            )
        else:
            self.downsample = nn.Identity()

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        return F.relu(h + self.downsample(x))


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.use_bn = batch_norm
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = self.stage(width, width, 1)
        self.layer2 = self.stage(width, width * 2, 2)
        self.layer3 = self.stage(width * 2, width * 4, 2)
        self.layer4 = self.stage(width * 4, width * 8, 2)
        self.fc = nn.Linear(width * 8, num_classes)

    def stage(self, cin, cout, stride):
        return nn.Sequential(Block(cin, cout, stride, self.use_bn), Block(cout, cout, 1, self.use_bn))

    def features(self, x):
        if x.size(1) == 1:
            x = x.repeat(1, 3, 1, 1)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = F.adaptive_avg_pool2d(x, 1)
        return x.view(x.size(0), -1)

    def forward(self, x):
        x = self.features(x)
        return self.fc(x)
