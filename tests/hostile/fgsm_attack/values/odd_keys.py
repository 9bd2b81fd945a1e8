"""Answers with a dict of odd keys."""


def fgsm_attack(image, epsilon, data_grad):
    return {1: image, None: image, "$": "tensor"}
