"""epsilon is divided by 255 although it is in units of [0, 1] already."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return torch.clamp(image + epsilon / 255 * data_grad.sign(), 0, 1)
