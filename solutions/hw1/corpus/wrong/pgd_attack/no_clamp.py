"""The image stays in the ball but may leave [0, 1]."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    delta = torch.zeros_like(image)
    for _ in range(steps):
        delta = (delta + alpha * gradient(image + delta).sign()).clamp(-epsilon, epsilon)
    return image + delta
