"""The perturbation is clamped to [0, 1], not the image."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    perturbation = torch.clamp(epsilon * data_grad.sign(), 0, 1)
    return image + perturbation
