"""Nothing brings the image back into the ball."""


def pgd_attack(image, epsilon, alpha, steps, gradient):
    x = image.clone()
    for _ in range(steps):
        x = (x + alpha * gradient(x).sign()).clamp(0, 1)
    return x
