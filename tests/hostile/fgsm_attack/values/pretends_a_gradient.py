"""Answers with a tensor that claims a gradient it has not."""


def fgsm_attack(image, epsilon, data_grad):
    return image.clone().requires_grad_()
