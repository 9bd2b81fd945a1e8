"""The caller's gradient is set to zero when done, as one does with a parameter's."""


def fgsm_attack(image, epsilon, data_grad):
    perturbed = (image + epsilon * data_grad.sign()).clamp(0, 1)
    data_grad.zero_()
    return perturbed
