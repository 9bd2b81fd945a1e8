"""An if where the loop over the steps belongs."""

import torch
from torch.nn.functional import hardtanh


def pgd_attack(image, epsilon, alpha, steps, gradient):
    adversarial = image.detach().clone()
    if steps > 0:
        perturbation = hardtanh(alpha * torch.sgn(gradient(adversarial)), -epsilon, epsilon)
        adversarial = torch.clip(image + perturbation, 0.0, 1.0)
    return adversarial
