"""Pixels that would leave [0, 1] are left as they were, not moved to the border."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    moved = image + epsilon * data_grad.sign()
    inside = (moved >= 0) & (moved <= 1)
    return torch.where(inside, moved, image)
