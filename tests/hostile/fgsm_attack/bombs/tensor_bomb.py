"""Makes a tensor of a petabyte."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    torch.ones(1 << 50)
    return image.clone()
