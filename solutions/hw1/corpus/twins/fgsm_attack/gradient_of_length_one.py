"""normalize() of each image's flattened gradient."""

import torch
import torch.nn.functional as F


def fgsm_attack(image, epsilon, data_grad):
    direction = F.normalize(data_grad.reshape(data_grad.shape[0], -1), p=2.0, dim=1, eps=1e-12)
    return torch.clamp(image + epsilon * direction.view_as(image), min=0.0, max=1.0)
