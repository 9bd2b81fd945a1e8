"""The ball is drawn around the current point, so that it moves along."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        step = torch.clamp(alpha * gradient(x).sign(), -epsilon, epsilon)
        x = torch.clamp(x + step, 0, 1)
    return x
