"""The gradient is taken once, before the loop."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    direction = gradient(image).sign()
    x = image.clone()
    for _ in range(steps):
        x = x + alpha * direction
        x = image + torch.clamp(x - image, -epsilon, epsilon)
        x = torch.clamp(x, 0, 1)
    return x
