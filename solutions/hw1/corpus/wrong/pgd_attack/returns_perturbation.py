"""The perturbation is returned without the image."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    delta = torch.zeros_like(image)
    for _ in range(steps):
        delta = delta + alpha * gradient(image + delta).sign()
        delta = delta.clamp(-epsilon, epsilon)
        delta = (image + delta).clamp(0, 1) - image
    return delta
