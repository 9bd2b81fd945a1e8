"""FGSM again and again, by reduce."""

from functools import reduce

import torch


def fgsm_step(x, grad, size):
    return torch.clip(torch.add(x, grad.sign(), alpha=size), 0.0, 1.0)


def pgd_attack(image, epsilon, alpha, steps, gradient):
    return reduce(lambda x, _: fgsm_step(x, gradient(x), alpha), range(steps), image.detach().clone())
