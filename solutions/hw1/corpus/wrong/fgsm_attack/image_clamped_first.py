"""The image is clamped before the step, not after it."""


def fgsm_attack(image, epsilon, data_grad):
    image = image.clamp(0, 1)
    return image + epsilon * data_grad.sign()
