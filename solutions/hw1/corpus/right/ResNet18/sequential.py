"""The whole network is one named nn.Sequential; features are everything before fc."""

from collections import OrderedDict

from torch import nn


class Residual(nn.Module):
    def __init__(self, a, b, stride, bn):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(a, b, 3, stride, 1, bias=not bn), self.norm(b, bn)
        self.conv2, self.bn2 = nn.Conv2d(b, b, 3, 1, 1, bias=not bn), self.norm(b, bn)
        if a != b:
            self.downsample = nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=not bn), self.norm(b, bn))

    @staticmethod
    def norm(channels, bn):
        return nn.BatchNorm2d(channels) if bn else nn.Sequential()

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (self.downsample(x) if "downsample" in self._modules else x)).relu()


class ResNet18(nn.Sequential):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        def stage(a, b, stride):
            return nn.Sequential(Residual(a, b, stride, batch_norm), Residual(b, b, 1, batch_norm))

        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(in_channels, width, 7, 2, 3, bias=not batch_norm),
                bn1=Residual.norm(width, batch_norm),
                relu=nn.ReLU(),
                maxpool=nn.MaxPool2d(3, 2, 1),
                layer1=stage(width, width, 1),
                layer2=stage(width, 2 * width, 2),
                layer3=stage(2 * width, 4 * width, 2),
                layer4=stage(4 * width, 8 * width, 2),
                avgpool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                fc=nn.Linear(8 * width, num_classes),
            )
        )

    def features(self, x):
        for layer in list(self.children())[:-1]:
            x = layer(x)
        return x
