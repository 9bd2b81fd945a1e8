"""One step more than asked for, one at zero steps too."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps + 1):
        x = x + alpha * gradient(x).sign()
        x = torch.clamp(image + torch.clamp(x - image, -epsilon, epsilon), 0, 1)
    return x
