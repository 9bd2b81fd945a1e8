"""Calls itself without end."""


def fgsm_attack(image, epsilon, data_grad):
    return fgsm_attack(image, epsilon, data_grad)
