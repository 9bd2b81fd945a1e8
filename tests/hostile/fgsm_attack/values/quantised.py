"""Answers with a quantised tensor."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.quantize_per_tensor(image, 0.1, 0, torch.quint8)
