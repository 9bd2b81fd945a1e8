"""A loop over the images of the batch."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    perturbed = []
    for x, g in zip(image, data_grad):
        perturbed.append(torch.clamp(torch.add(x, torch.sign(g), alpha=epsilon), min=0.0, max=1.0))
    return torch.stack(perturbed)
