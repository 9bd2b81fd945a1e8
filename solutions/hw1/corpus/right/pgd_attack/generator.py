"""A generator of points."""

import torch


def trajectory(x, image, epsilon, alpha, gradient):
    while True:
        yield x
        moved = x + alpha * torch.sgn(gradient(x.detach()))
        x = torch.minimum(torch.maximum(moved, (image - epsilon).relu()), (image + epsilon).clamp(max=1.0))


def pgd_attack(image, epsilon, alpha, steps, gradient):
    points = trajectory(image.clone(), image, epsilon, alpha, gradient)
    for _ in range(steps):
        next(points)
    return next(points)
