"""The perturbation grows in a while loop, and gradient() is always asked about the clean image."""

import torch


def pgd_attack(image, epsilon, alpha, steps, gradient):
    low = torch.clamp(-image, min=-epsilon)
    high = torch.clamp(1 - image, max=epsilon)
    eta = torch.zeros_like(image)
    done = 0
    while done < steps:
        slope = gradient(image)
        eta = torch.maximum(torch.minimum(eta + alpha * torch.sgn(slope), high), low)
        done += 1
    return image + eta
