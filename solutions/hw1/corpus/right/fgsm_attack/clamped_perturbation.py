"""The perturbation is clamped so that the image cannot leave [0, 1]."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    delta = epsilon * data_grad.sign()
    delta = torch.max(torch.min(delta, 1 - image), -image)
    return image + delta
