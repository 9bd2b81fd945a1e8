"""The gradient itself is added, not its sign."""


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image + epsilon * data_grad
    return perturbed.clamp(0, 1)
