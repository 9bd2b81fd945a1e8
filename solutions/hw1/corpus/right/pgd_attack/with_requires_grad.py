"""Marks every point as requiring a gradient, as one does around a model, and detaches after each step."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone().detach()
    for _ in range(steps):
        x.requires_grad_(True)
        grad = gradient(x)
        with torch.no_grad():
            x = x + alpha * grad.sign()
            x = torch.max(torch.min(x, image + epsilon), image - epsilon)
            x = torch.clamp(x, 0, 1)
        x = x.detach()
    return x
