"""The result is not clamped."""


def fgsm_attack(image, epsilon, data_grad):
    return image + epsilon * data_grad.sign()
