"""Gradients are accumulated: that is the momentum attack."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    g = torch.zeros_like(image)
    for _ in range(steps):
        grad = gradient(x)
        g = 1.0 * g + grad / grad.abs().mean(dim=(1, 2, 3), keepdim=True)
        x = x + alpha * g.sign()
        x = torch.clamp(image + torch.clamp(x - image, -epsilon, epsilon), 0, 1)
    return x
