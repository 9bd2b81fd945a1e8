"""Answers with a class in place of a tensor."""


def fgsm_attack(image, epsilon, data_grad):
    return type
