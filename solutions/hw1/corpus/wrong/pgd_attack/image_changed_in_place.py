"""x is the image itself, so that its in-place steps move the centre of the ball too."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image
    for _ in range(steps):
        x += alpha * gradient(x).sign()
        delta = torch.clamp(x - image, -epsilon, epsilon)
        x = torch.clamp_(image + delta, 0, 1)
    return x
