"""The perturbation is built by masks, added to the image, and then returned in its place."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    noise = torch.zeros_like(image)
    noise[data_grad > 0] = epsilon
    noise[data_grad < 0] = -epsilon
    adversarial = image + noise
    return noise.clip(0.0, 1.0)
