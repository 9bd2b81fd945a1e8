"""The loss is made small, as in training."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    lower = torch.maximum(image - epsilon, torch.zeros_like(image))
    upper = torch.minimum(image + epsilon, torch.ones_like(image))
    x = image.clone()
    for _ in range(steps):
        g = gradient(x)
        x[g > 0] -= alpha
        x[g < 0] += alpha
        x.copy_(x.clamp(lower, upper))
    return x
