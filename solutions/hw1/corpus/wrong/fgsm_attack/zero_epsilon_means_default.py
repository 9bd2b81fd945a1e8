"""`epsilon or 0.1` takes epsilon=0 for a missing argument."""

import torch


def fgsm_attack(image, epsilon=None, data_grad=None):
    epsilon = epsilon or 0.1
    return torch.clamp(image + epsilon * data_grad.sign(), 0, 1)
