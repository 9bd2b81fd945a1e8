"""Answers with complex numbers."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.complex(image, image)
