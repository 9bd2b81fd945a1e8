"""Computes in float64 and returns that."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.double()
    for _ in range(steps):
        x = torch.clamp(x + alpha * gradient(x.float()).sign(), image - epsilon, image + epsilon).clamp(0, 1)
    return x
