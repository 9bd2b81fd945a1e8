"""Answers with forty dimensions."""


def fgsm_attack(image, epsilon, data_grad):
    return image.reshape(*image.shape, *[1] * 36)
