"""The gradient is taken at the first image in every step."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        x = x + alpha * gradient(image).sign()
        x = torch.min(torch.max(x, image - epsilon), image + epsilon).clamp(0, 1)
    return x
