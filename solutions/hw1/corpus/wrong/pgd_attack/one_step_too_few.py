"""range(1, steps) makes one step less than asked for."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(1, steps):
        x = x + alpha * gradient(x).sign()
        x = torch.clamp(image + torch.clamp(x - image, -epsilon, epsilon), 0, 1)
    return x
