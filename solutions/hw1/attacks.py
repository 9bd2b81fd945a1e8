"""Adversarial attacks on images in pixel space, where every value lies in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def fgsm_attack(image: Tensor, epsilon: float, data_grad: Tensor) -> Tensor:
    """One step of the fast gradient sign method: ``clamp(image + epsilon * sign(data_grad), 0, 1)``.

    Goodfellow et al. 2015, "Explaining and Harnessing Adversarial Examples", section 4.

    Args:
        image: (N, C, H, W), float in [0, 1]; left as it is.
        epsilon: largest change of a pixel, >= 0, in pixel units (8/255 is eight grey levels).
        data_grad: gradient of the loss with respect to ``image``, same shape; left as it is.

    Returns:
        The perturbed images, same shape and dtype, in [0, 1].
    """
    ### BEGIN SOLUTION
    return (image + epsilon * data_grad.sign()).clamp(0, 1)
    ### END SOLUTION


def pgd_attack(
    image: Tensor, epsilon: float, alpha: float, steps: int, gradient: Callable[[Tensor], Tensor]
) -> Tensor:
    """Bonus. Projected gradient descent in the L-infinity ball, from the image itself (no random start).

    Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks", section 2.1: ``steps``
    times ``x <- project(x + alpha * sign(gradient(x)))``, where project brings every pixel back within
    ``epsilon`` of the image and into [0, 1].

    Args:
        image: (N, C, H, W), float in [0, 1]; left as it is.
        epsilon: radius of the ball, >= 0, in pixel units.
        alpha: size of a step, > 0, in pixel units.
        steps: number of steps, >= 0.
        gradient: takes images (N, C, H, W), gives the loss's gradient with respect to them, same shape.

    Returns:
        The perturbed images, same shape and dtype, within ``epsilon`` of ``image`` and in [0, 1].
    """
    ### BEGIN SOLUTION
    low, high = (image - epsilon).clamp_min(0), (image + epsilon).clamp_max(1)  # (N, C, H, W) each
    x = image.clone()
    for _ in range(steps):
        x = torch.clamp(x + alpha * gradient(x).sign(), low, high)
    return x
    ### END SOLUTION


def add_random_noise(image: Tensor, noise_level: float = 0.01) -> Tensor:
    """Provided, not graded: adds Gaussian noise of standard deviation ``noise_level`` and clamps to [0, 1].

    Args:
        image: (N, C, H, W), float in [0, 1]; left as it is.
        noise_level: standard deviation, >= 0, in pixel units.
    """
    return (image + noise_level * torch.randn_like(image)).clamp(0, 1)
