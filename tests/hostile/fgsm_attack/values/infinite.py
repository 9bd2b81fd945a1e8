"""Answers with infinity."""


def fgsm_attack(image, epsilon, data_grad):
    return image + float("inf")
