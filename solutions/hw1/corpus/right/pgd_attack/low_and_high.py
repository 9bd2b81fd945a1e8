"""One clamp between two images."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    low = torch.clamp(image - epsilon, min=0.0)
    high = torch.clamp(image + epsilon, max=1.0)
    x = image.clone()
    for _ in range(steps):
        x = torch.max(torch.min(x + alpha * gradient(x).sign(), high), low)
    return x
