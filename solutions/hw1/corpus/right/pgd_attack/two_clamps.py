"""First into [0, 1], then into the ball: the order of the two does not matter."""


def pgd_attack(image, epsilon, alpha, steps, gradient):
    original = image.detach().clone()
    x = original.clone()
    for _ in range(steps):
        x = (x + alpha * gradient(x).sign()).clamp(0, 1)
        x = original + (x - original).clamp(-epsilon, epsilon)
    return x
