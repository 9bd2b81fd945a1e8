"""ResNet-18 (He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.1 and table 1).

Shapes are written N (images), C (channels), H and W (pixels).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

### BEGIN SOLUTION


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut around them: relu(F(x) + shortcut(x)), He et al. eq. 1 and 2.

    The first convolution carries the stride. Where stride or channels change, the shortcut is a 1x1
    convolution (option B of the paper); elsewhere it is the identity.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, batch_norm: bool) -> None:
        super().__init__()

        def norm() -> nn.Module:
            return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()

        # A norm layer has a bias of its own, so a convolution has one only where no norm follows it.
        bias = not batch_norm
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=bias)
        self.bn1 = norm()
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, padding=1, bias=bias)
        self.bn2 = norm()
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride, bias=bias), norm())

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)  # (N, channels, H/stride, W/stride)
        x = F.relu(self.bn1(self.conv1(x)))  # (N, channels, H/stride, W/stride)
        x = self.bn2(self.conv2(x))  # the same; no ReLU before the addition
        return F.relu(x + shortcut)


### END SOLUTION


class ResNet18(nn.Module):
    """ResNet-18 in torchvision's layout: the keys of ``state_dict()`` are those of ``torchvision.models.resnet18``.

    Stem of a 7x7 convolution with stride 2 and a 3x3 max-pool with stride 2, four stages of two basic blocks
    (``layer1`` to ``layer4``, stride 2 at the start of each but the first), global average pool, ``fc``.

    Args:
        num_classes: number of logits K.
        in_channels: channels of the images C.
        width: channels of the first stage; the stages have ``width * (1, 2, 4, 8)``. 64 is the paper's.
        batch_norm: False leaves out every norm layer and gives each convolution a bias instead.

    At ``width=64`` with 10 classes it has 11,181,642 parameters.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, width: int = 64, batch_norm: bool = True) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(in_channels, width, 7, stride=2, padding=3, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

        def stage(in_channels: int, channels: int, stride: int) -> nn.Sequential:
            return nn.Sequential(
                BasicBlock(in_channels, channels, stride, batch_norm),
                BasicBlock(channels, channels, 1, batch_norm),
            )

        self.layer1 = stage(width, width, stride=1)
        self.layer2 = stage(width, 2 * width, stride=2)
        self.layer3 = stage(2 * width, 4 * width, stride=2)
        self.layer4 = stage(4 * width, 8 * width, stride=2)
        self.fc = nn.Linear(8 * width, num_classes)
        ### END SOLUTION

    def features(self, x: Tensor) -> Tensor:
        """Images (N, in_channels, H, W), float -> features (N, 8*width) after the global average pool."""
        ### BEGIN SOLUTION
        x = F.relu(self.bn1(self.conv1(x)))  # (N, width, H/2, W/2)
        x = self.maxpool(x)  # (N, width, H/4, W/4)
        x = self.layer1(x)  # (N, width, H/4, W/4)
        x = self.layer2(x)  # (N, 2*width, H/8, W/8)
        x = self.layer3(x)  # (N, 4*width, H/16, W/16)
        x = self.layer4(x)  # (N, 8*width, H/32, W/32)
        return x.mean(dim=(2, 3))  # (N, 8*width)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, in_channels, H, W), float -> logits (N, num_classes), not passed through a softmax."""
        ### BEGIN SOLUTION
        logits: Tensor = self.fc(self.features(x))
        return logits
        ### END SOLUTION
