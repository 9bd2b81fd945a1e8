"""One sign for all channels of a pixel."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    sign = data_grad.mean(dim=1, keepdim=True).sign()
    return torch.clamp(image + epsilon * sign, 0, 1)
