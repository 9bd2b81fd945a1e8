"""Recursive, with a projection of its own."""

import torch


def project(x, image, epsilon):
    x = torch.minimum(torch.maximum(x, image - epsilon), image + epsilon)
    return x.clip(0, 1)


def pgd_attack(image, epsilon, alpha, steps, gradient):
    def go(x, left):
        if left == 0:
            return x
        return go(project(x + alpha * gradient(x).sign(), image, epsilon), left - 1)

    return go(image.clone(), steps)
