"""Projected once, after the last step."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        x = x + alpha * gradient(x).sign()
    delta = torch.clamp(x - image, -epsilon, epsilon)
    return torch.clamp(image + delta, 0, 1)
