"""The network is a Sequential of named parts whose last one is a Softmax layer."""

from collections import OrderedDict

from torch import nn


class Shortcut(nn.Sequential):
    """Empty where the block keeps the shape: an empty Sequential gives back its input."""

    def __init__(self, before, after, batch_norm):
        if before == after:
            super().__init__()
        elif batch_norm:
            super().__init__(nn.Conv2d(before, after, 1, 2, bias=False), nn.BatchNorm2d(after))
        else:
            super().__init__(nn.Conv2d(before, after, 1, 2))


class Block(nn.Module):
    def __init__(self, before, after, batch_norm):
        super().__init__()
        self.downsample = Shortcut(before, after, batch_norm)
        stride = 2 if len(self.downsample) else 1
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=not batch_norm)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(after) if batch_norm else nn.Identity()
        self.bn2 = nn.BatchNorm2d(after) if batch_norm else nn.Identity()
        self.activation = nn.ReLU()

    def forward(self, x):
        residual = self.bn2(self.conv2(self.activation(self.bn1(self.conv1(x)))))
        return self.activation(self.downsample(x) + residual)


class ResNet18(nn.Sequential):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        stem = nn.Conv2d(in_channels, width, 7, 2, 3, bias=not batch_norm)
        parts = [("conv1", stem)]
        if batch_norm:
            parts.append(("bn1", nn.BatchNorm2d(width)))
        parts += [("relu", nn.ReLU()), ("pool", nn.MaxPool2d(3, stride=2, padding=1))]
        before = width
        for number in (1, 2, 3, 4):
            after = width * 2 ** (number - 1)
            stage = nn.Sequential(Block(before, after, batch_norm), Block(after, after, batch_norm))
            parts.append((f"layer{number}", stage))
            before = after
        parts += [("average", nn.AdaptiveAvgPool2d((1, 1))), ("flatten", nn.Flatten(1))]
        parts += [("fc", nn.Linear(before, num_classes)), ("probabilities", nn.Softmax(dim=-1))]
        super().__init__(OrderedDict(parts))

    def features(self, x):
        for name, part in self.named_children():
            if name == "fc":
                break
            x = part(x)
        return x
