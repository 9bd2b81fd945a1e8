"""Gaussian noise is added as well; in the experiments that is a step of its own."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image + epsilon * data_grad.sign()
    perturbed = perturbed + 0.01 * torch.randn_like(image)
    return torch.clamp(perturbed, 0, 1)
