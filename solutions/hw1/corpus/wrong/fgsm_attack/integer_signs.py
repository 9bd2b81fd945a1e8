"""The gradient is cast to an integer before its sign is taken: everything below 1 becomes 0."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    sign = torch.sign(data_grad.int())
    return torch.clamp(image + epsilon * sign, 0, 1)
