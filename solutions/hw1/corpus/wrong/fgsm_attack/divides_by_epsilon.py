"""The step is scaled by its own length, which is 0 / 0 at epsilon 0."""


def fgsm_attack(image, epsilon, data_grad):
    step = epsilon * data_grad.sign()
    step = step / step.abs().max() * epsilon
    return (image + step).clamp(0, 1)
