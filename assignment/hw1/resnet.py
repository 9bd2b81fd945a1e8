"""ResNet-18 (He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.1 and table 1).

Shapes are written N (images), C (channels), H and W (pixels).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

# YOUR CODE HERE (classes or functions of your own, if you want any)


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
        # YOUR CODE HERE
        raise NotImplementedError("ResNet18.__init__: not written yet")

    def features(self, x: Tensor) -> Tensor:
        """Images (N, in_channels, H, W), float -> features (N, 8*width) after the global average pool."""
        # YOUR CODE HERE
        raise NotImplementedError("ResNet18.features: not written yet")

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, in_channels, H, W), float -> logits (N, num_classes), not passed through a softmax."""
        # YOUR CODE HERE
        raise NotImplementedError("ResNet18.forward: not written yet")
