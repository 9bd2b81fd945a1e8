"""Answers with an object whose type's name has a million letters."""


def fgsm_attack(image, epsilon, data_grad):
    return type("x" * 1_000_000, (), {})()
