"""torch.clip and torch.sgn on detached tensors."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.clip(image.detach() + torch.sgn(data_grad.detach()) * epsilon, 0.0, 1.0)
