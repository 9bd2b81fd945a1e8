"""Only increases are held within epsilon."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        x = x + alpha * gradient(x).sign()
        x = torch.min(x, image + epsilon).clamp(0, 1)
    return x
