"""The result is clamped to [0, 255]."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.clamp(image + epsilon * torch.sign(data_grad), min=0, max=255)
