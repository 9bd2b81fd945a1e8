"""Only the lower end is clamped."""


def fgsm_attack(image, epsilon, data_grad):
    return (image + epsilon * data_grad.sign()).clamp(min=0)
