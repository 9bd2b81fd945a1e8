"""In place, but on a clone."""

import torch


@torch.no_grad()
def fgsm_attack(image, epsilon, data_grad):
    adversarial = image.clone()
    adversarial.add_(torch.sign(data_grad), alpha=epsilon)
    adversarial.clamp_(min=0, max=1)
    return adversarial
