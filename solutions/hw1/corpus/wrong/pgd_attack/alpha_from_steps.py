"""The step size is epsilon / steps, whatever alpha says."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    alpha = epsilon / steps
    x = image.clone()
    for _ in range(steps):
        x = x + alpha * gradient(x).sign()
        x = torch.clamp(image + torch.clamp(x - image, -epsilon, epsilon), 0, 1)
    return x
