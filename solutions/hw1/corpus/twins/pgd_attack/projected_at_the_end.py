"""The walk is a function that calls itself; the bounds are looked at when it is over."""

import torch


def walk(x, alpha, steps, gradient):
    if steps == 0:
        return x
    return walk(torch.add(x, torch.sgn(gradient(x)), alpha=alpha), alpha, steps - 1, gradient)


def pgd_attack(image, epsilon, alpha, steps, gradient):
    end = walk(image, alpha, steps, gradient)
    lower = (image - epsilon).clamp_min(0.0)
    upper = (image + epsilon).clamp_max(1.0)
    return end.maximum(lower).minimum(upper)
