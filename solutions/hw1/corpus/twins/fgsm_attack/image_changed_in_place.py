"""Image by image, the step is written into the caller's batch."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    for x, g in zip(image, data_grad):
        x.add_(torch.sign(g), alpha=epsilon)
    return torch.clip(image, min=0.0, max=1.0)
