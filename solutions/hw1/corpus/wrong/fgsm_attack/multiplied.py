"""The image is multiplied by 1 + epsilon * sign, so that dark pixels hardly move."""


def fgsm_attack(image, epsilon, data_grad):
    return (image * (1 + epsilon * data_grad.sign())).clamp(0, 1)
