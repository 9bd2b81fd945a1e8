"""A function that gives back a network made by another class."""

import torch
import torch.nn as nn


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride=1, use_bn=True):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride=stride, padding="same" if stride == 1 else 1, bias=not use_bn)
        self.bn1 = nn.BatchNorm2d(cout) if use_bn else nn.Identity()
        self.conv2 = nn.Conv2d(cout, cout, 3, padding="same", bias=not use_bn)
        self.bn2 = nn.BatchNorm2d(cout) if use_bn else nn.Identity()
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential()
        if stride != 1 or cin != cout:
            self.downsample.append(nn.Conv2d(cin, cout, 1, stride=stride, bias=not use_bn))
            if use_bn:
                self.downsample.append(nn.BatchNorm2d(cout))

    def forward(self, x):
        shortcut = self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return self.relu(x.add(shortcut))


class Net(nn.Module):
    def __init__(self, n_out, n_in, w, use_bn):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, w, 7, stride=2, padding=3, bias=not use_bn)
        self.bn1 = nn.BatchNorm2d(w) if use_bn else nn.Identity()
        self.layer1 = nn.Sequential(BasicBlock(w, w, 1, use_bn), BasicBlock(w, w, 1, use_bn))
        self.layer2 = nn.Sequential(BasicBlock(w, 2 * w, 2, use_bn), BasicBlock(2 * w, 2 * w, 1, use_bn))
        self.layer3 = nn.Sequential(BasicBlock(2 * w, 4 * w, 2, use_bn), BasicBlock(4 * w, 4 * w, 1, use_bn))
        self.layer4 = nn.Sequential(BasicBlock(4 * w, 8 * w, 2, use_bn), BasicBlock(8 * w, 8 * w, 1, use_bn))
        self.fc = nn.Linear(8 * w, n_out)

    def features(self, x):
        # the pool before the ReLU gives the same, and saves work
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)), 3, 2, 1).relu()
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        return torch.mean(x, dim=[-1, -2])

    def forward(self, x):
        return self.fc(self.features(x))


def ResNet18(num_classes=10, in_channels=3, width=64, batch_norm=True):
    return Net(num_classes, in_channels, width, batch_norm)
