"""Only the upper end is clamped."""


def fgsm_attack(image, epsilon, data_grad):
    return (image + epsilon * data_grad.sign()).clamp_max(1.0)
