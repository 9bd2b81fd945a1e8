"""Projected on the Euclidean ball of radius epsilon."""


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        x = x + alpha * gradient(x).sign()
        delta = (x - image).flatten(1)
        factor = (epsilon / delta.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
        x = (image + (delta * factor).view_as(image)).clamp(0, 1)
    return x
