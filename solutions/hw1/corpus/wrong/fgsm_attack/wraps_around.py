"""Pixels that leave [0, 1] wrap around."""


def fgsm_attack(image, epsilon, data_grad):
    return (image + epsilon * data_grad.sign()) % 1.0
