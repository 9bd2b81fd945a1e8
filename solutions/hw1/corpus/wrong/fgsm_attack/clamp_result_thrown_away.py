"""clamp() makes a new tensor, which is thrown away."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    adversarial = image + epsilon * torch.sign(data_grad)
    adversarial.clamp(0, 1)
    return adversarial
