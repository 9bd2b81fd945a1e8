"""alpha is ignored: every step is of size epsilon."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    low, high = torch.clamp(image - epsilon, min=0), torch.clamp(image + epsilon, max=1)
    x = image.clone()
    for _ in range(steps):
        x = torch.max(torch.min(x + epsilon * gradient(x).sign(), high), low)
    return x
