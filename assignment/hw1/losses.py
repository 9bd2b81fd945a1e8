"""Losses: label smoothing (Szegedy et al. 2016) and Circle loss (Sun et al. 2020).

Shapes are written N (batch), K (classes), D (feature length).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LabelSmoothingCrossEntropy(nn.Module):
    """Cross-entropy against softened targets: ``(1 - epsilon) * onehot + epsilon / K``, mean over the batch.

    Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7.

    Args:
        epsilon: how much of the target is spread evenly over all K classes, in [0, 1].
    """

    def __init__(self, epsilon: float = 0.25) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Logits (N, K), float, and classes (N,), int64 in [0, K) -> loss, a scalar."""
        # YOUR CODE HERE
        raise NotImplementedError("LabelSmoothingCrossEntropy.forward: not written yet")


def convert_label_to_similarity(normed_feature: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine similarities of all pairs in a batch, parted into same class and different class.

    Each unordered pair counts once (i < j), in row-major order: (0,1), (0,2), ..., (1,2), ...

    Args:
        normed_feature: features (N, D), float, each row of length 1.
        label: classes (N,), any integer dtype.

    Returns:
        ``sp`` (P,), the similarities of pairs of one class, and ``sn`` (Q,), those of two classes;
        P + Q = N (N - 1) / 2, and either may be empty. Values in [-1, 1].
    """
    # YOUR CODE HERE
    raise NotImplementedError("convert_label_to_similarity: not written yet")


class CircleLoss(nn.Module):
    """Circle loss, Sun et al. 2020, "Circle Loss: A Unified Perspective of Pair Similarity Optimization", eq. 6.

    Args:
        m: relaxation margin; similarities of one class should exceed 1 - m, those of two classes stay below m.
        gamma: scale, > 0.
    """

    def __init__(self, m: float, gamma: float) -> None:
        super().__init__()
        self.m = m
        self.gamma = gamma

    def forward(self, sp: Tensor, sn: Tensor) -> Tensor:
        """Similarities of one class (P,) and of two classes (Q,), float in [-1, 1] -> loss, a scalar >= 0.

        The loss and its gradients are finite for every gamma, and when P or Q is 0.
        """
        # YOUR CODE HERE
        raise NotImplementedError("CircleLoss.forward: not written yet")
