"""Steps of size epsilon in a ball of radius alpha."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        x = x + epsilon * gradient(x).sign()
        x = torch.clamp(image + torch.clamp(x - image, -alpha, alpha), 0, 1)
    return x
