"""torch.add with alpha, and the two ends held by maximum and minimum; the sign is nowhere."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    stepped = torch.add(image, data_grad, alpha=epsilon)
    black, white = torch.zeros_like(image), torch.ones_like(image)
    return torch.minimum(torch.maximum(stepped, black), white)
