"""Computed in float64, returned in the image's dtype."""


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x, c = image.double(), image.double()
    for _ in range(steps):
        g = gradient(x.to(image.dtype)).double()
        x = (c + (x + alpha * g.sign() - c).clamp(-epsilon, epsilon)).clamp(0, 1)
    return x.to(image.dtype)
