"""The gradient is expected before epsilon."""

import torch


def fgsm_attack(image, data_grad, epsilon):
    return torch.clamp(image + epsilon * torch.sign(data_grad), 0, 1)
