"""A gradient of zero is taken for a positive one."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    sign = torch.where(data_grad >= 0, 1.0, -1.0)
    return torch.clamp(image + epsilon * sign, 0, 1)
