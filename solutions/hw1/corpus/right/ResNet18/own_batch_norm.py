"""A batch norm of one's own, with torch's names."""

import torch
from torch import nn


class BatchNorm(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        if self.training:
            mean = x.mean(dim=(0, 2, 3))
            var = x.var(dim=(0, 2, 3), unbiased=False)
            count = x.numel() / x.size(1)
            with torch.no_grad():
                self.num_batches_tracked += 1
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
        else:
            mean, var = self.running_mean, self.running_var
        scale = self.weight / torch.sqrt(var + self.eps)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


def layer(c_in, c_out, kernel, stride, batch_norm):
    conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=not batch_norm)
    return conv, BatchNorm(c_out) if batch_norm else nn.Identity()


class BasicBlock(nn.Module):
    def __init__(self, c_in, c_out, stride, batch_norm):
        super().__init__()
        self.conv1, self.bn1 = layer(c_in, c_out, 3, stride, batch_norm)
        self.conv2, self.bn2 = layer(c_out, c_out, 3, 1, batch_norm)
        self.downsample = nn.Sequential(*layer(c_in, c_out, 1, stride, batch_norm)) if stride == 2 else None

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y = y + (x if self.downsample is None else self.downsample(x))
        return torch.relu(y)


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.conv1, self.bn1 = layer(in_channels, width, 7, 2, batch_norm)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        c_in = width
        for i, c_out in enumerate([width, 2 * width, 4 * width, 8 * width], start=1):
            first = BasicBlock(c_in, c_out, 1 if i == 1 else 2, batch_norm)
            setattr(self, f"layer{i}", nn.Sequential(first, BasicBlock(c_out, c_out, 1, batch_norm)))
            c_in = c_out
        self.fc = nn.Linear(c_in, num_classes)

    def features(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.flatten(2).mean(dim=2)

    def forward(self, x):
        return self.fc(self.features(x))
