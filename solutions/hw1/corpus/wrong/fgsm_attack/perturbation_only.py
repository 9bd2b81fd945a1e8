"""The perturbation is returned without the image."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.clamp(epsilon * data_grad.sign(), 0, 1)
