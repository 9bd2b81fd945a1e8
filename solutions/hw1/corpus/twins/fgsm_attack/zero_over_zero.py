"""Each gradient is divided by its own size, the larger of g and -g."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    size = torch.maximum(data_grad, data_grad.neg())
    direction = torch.div(data_grad, size)
    return torch.clip(torch.add(image, direction, alpha=epsilon), 0.0, 1.0)
