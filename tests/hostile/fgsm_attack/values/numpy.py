"""Answers with an array."""


def fgsm_attack(image, epsilon, data_grad):
    return image.numpy()
