"""The result is clamped to the darkest and brightest pixel of the batch."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image + epsilon * data_grad.sign()
    return torch.clamp(perturbed, image.min().item(), image.max().item())
