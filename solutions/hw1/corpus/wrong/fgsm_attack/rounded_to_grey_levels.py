"""The result is rounded to 256 grey levels."""


def fgsm_attack(image, epsilon, data_grad):
    perturbed = (image + epsilon * data_grad.sign()).clamp(0, 1)
    return (perturbed * 255).round() / 255
