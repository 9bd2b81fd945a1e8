"""sign_() overwrites the caller's gradient."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.clamp(image + epsilon * data_grad.sign_(), 0, 1)
