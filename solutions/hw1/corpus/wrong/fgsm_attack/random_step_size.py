"""The step size is drawn between 0 and epsilon for each image."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    size = epsilon * torch.rand(len(image), 1, 1, 1)
    return torch.clamp(image + size * data_grad.sign(), 0, 1)
