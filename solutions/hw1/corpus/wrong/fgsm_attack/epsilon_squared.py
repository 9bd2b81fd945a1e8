"""epsilon is multiplied twice."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    sign_data_grad = epsilon * data_grad.sign()
    perturbed = image + epsilon * sign_data_grad
    return torch.clamp(perturbed, 0, 1)
