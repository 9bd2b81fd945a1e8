"""The result is clamped to [-1, 1]."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    perturbed_image = image + epsilon * data_grad.sign()
    return torch.clamp(perturbed_image, -1, 1)
