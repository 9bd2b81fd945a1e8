"""Written in the perturbation."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    delta = torch.zeros_like(image)
    for _ in range(steps):
        delta = delta + alpha * torch.sign(gradient(image + delta))
        delta = torch.clamp(delta, -epsilon, epsilon)
        delta = torch.clamp(image + delta, 0, 1) - image
    return image + delta
