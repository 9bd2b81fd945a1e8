"""Answers with nothing."""


def fgsm_attack(image, epsilon, data_grad):
    return None
