"""Computes in float64 and returns that."""


def fgsm_attack(image, epsilon, data_grad):
    return (image.double() + epsilon * data_grad.sign()).clamp(0, 1)
