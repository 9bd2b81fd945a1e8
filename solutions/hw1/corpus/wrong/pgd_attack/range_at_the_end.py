"""Clamps to [0, 1] only after the last step."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        x = torch.clamp(x + alpha * gradient(x).sign(), image - epsilon, image + epsilon)
    return x.clamp(0, 1)
