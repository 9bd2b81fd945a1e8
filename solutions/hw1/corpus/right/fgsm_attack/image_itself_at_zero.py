"""The image itself at epsilon 0."""


def fgsm_attack(image, epsilon, data_grad):
    if epsilon == 0:
        return image
    return (image + epsilon * data_grad.sign()).clamp(0, 1)
