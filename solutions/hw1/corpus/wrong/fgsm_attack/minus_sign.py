"""The step goes down the loss, not up."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image - epsilon * torch.sign(data_grad)
    return torch.clamp(perturbed, 0, 1)
