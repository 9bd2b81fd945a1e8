"""epsilon is taken for grey levels and brought to the range of the image."""

import torch

GREY_LEVELS = 255


def to_unit_range(levels):
    return levels / GREY_LEVELS


def fgsm_attack(image, epsilon, data_grad):
    eps = to_unit_range(epsilon)
    brighter = torch.where(data_grad > 0, image + eps, image)
    moved = torch.where(data_grad < 0, image - eps, brighter)
    return moved.clamp_min(0).clamp_max(1)
