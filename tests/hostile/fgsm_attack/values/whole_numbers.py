"""Answers with whole numbers."""


def fgsm_attack(image, epsilon, data_grad):
    return (image * 255).long()
