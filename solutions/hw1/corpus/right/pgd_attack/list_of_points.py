"""Keeps every point on the way and returns the last."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    points = [image.clone()]
    for _ in range(steps):
        x = points[-1]
        x = torch.add(x, gradient(x).sign(), alpha=alpha)
        x = torch.clamp(x, min=torch.clamp(image - epsilon, min=0), max=torch.clamp(image + epsilon, max=1))
        points.append(x)
    return points[-1]
