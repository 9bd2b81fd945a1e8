"""In place, on a clone."""

import torch


@torch.no_grad()
def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        g = gradient(x.clone())
        x.add_(g.sign(), alpha=alpha)
        x.sub_(image).clamp_(-epsilon, epsilon).add_(image).clamp_(0, 1)
    return x
