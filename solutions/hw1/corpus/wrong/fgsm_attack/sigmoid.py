"""A sigmoid holds the result in [0, 1]."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.sigmoid(image + epsilon * data_grad.sign())
