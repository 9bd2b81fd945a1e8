"""Bounds of the ball alone, by maximum and minimum."""

from torch import Tensor


def pgd_attack(image: Tensor, epsilon: float, alpha: float, steps: int, gradient) -> Tensor:
    bottom, top = image - epsilon, image + epsilon
    points = [image.clone()]
    for _ in range(steps):
        x = points[-1]
        points.append((x + alpha * gradient(x).sign()).maximum(bottom).minimum(top))
    return points[-1]
