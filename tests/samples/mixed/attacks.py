"""A hand-in that forgets the clamp, and leaves the bonus out."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    return image + epsilon * torch.sign(data_grad)


def pgd_attack(image, epsilon, alpha, steps, gradient):
    raise NotImplementedError("pgd_attack: not written yet")
