"""The bounds are computed inside the loop, from the image as it has become."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    adversarial = image.clone()
    for step in range(steps):
        lower, upper = adversarial - epsilon, adversarial + epsilon
        moved = adversarial + gradient(adversarial).sign() * alpha
        moved = torch.where(moved < lower, lower, moved)
        moved = torch.where(moved > upper, upper, moved)
        adversarial = moved.clip(0, 1)
    return adversarial
