"""tanh in place of sign."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.clamp(image + epsilon * torch.tanh(data_grad), 0, 1)
