"""functools.reduce over the steps."""

from functools import reduce

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    def step(x, _):
        moved = x + alpha * torch.sgn(gradient(x))
        return torch.clamp(torch.clamp(moved, image - epsilon, image + epsilon), 0.0, 1.0)

    return reduce(step, range(steps), image + 0.0)
