"""The step is added to the caller's image in place."""


def fgsm_attack(image, epsilon, data_grad):
    image += epsilon * data_grad.sign()
    return image.clamp(0, 1)
