"""forward does not call features: both call a third method; images are laid out channels last."""

import torch
import torch.nn as nn


def cbr(cin, cout, k, stride, bn):
    return nn.Conv2d(cin, cout, k, stride, (k - 1) // 2, bias=not bn), nn.BatchNorm2d(cout) if bn else nn.Identity()


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride, bn):
        super().__init__()
        self.conv1, self.bn1 = cbr(cin, cout, 3, stride, bn)
        self.conv2, self.bn2 = cbr(cout, cout, 3, 1, bn)
        self.act1, self.act2 = nn.ReLU(), nn.ReLU()
        self.downsample = nn.Sequential(*cbr(cin, cout, 1, stride, bn)) if cin != cout else None

    def forward(self, inputs):
        hidden = self.act1(self.bn1(self.conv1(inputs)))
        residual = self.bn2(self.conv2(hidden))
        if self.downsample is None:
            return self.act2(inputs + residual)
        return self.act2(self.downsample(inputs) + residual)


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True, **unused):
        super().__init__()
        sizes = [width * 2**k for k in range(4)]
        self.conv1, self.bn1 = cbr(in_channels, width, 7, 2, batch_norm)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential()
        self.layer2 = nn.Sequential()
        self.layer3 = nn.Sequential()
        self.layer4 = nn.Sequential()
        previous = width
        for size, layer in zip(sizes, [self.layer1, self.layer2, self.layer3, self.layer4]):
            layer.add_module("0", BasicBlock(previous, size, 1 if size == width else 2, batch_norm))
            layer.add_module("1", BasicBlock(size, size, 1, batch_norm))
            previous = size
        self.dropout = nn.Dropout(0.0)
        self.fc = nn.Linear(previous, num_classes)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def body(self, x):
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        for layer in [self.layer1, self.layer2, self.layer3, self.layer4]:
            x = layer(x)
        return x

    def pooled(self, x):
        n, c, h, w = x.shape
        return x.sum(dim=3).sum(dim=2).reshape(n, c) / float(h * w)

    def features(self, x):
        return self.pooled(self.body(x))

    def forward(self, x):
        return self.fc(self.dropout(self.pooled(self.body(x))))
