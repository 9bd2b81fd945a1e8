"""The sign as grad / |grad|, which is nan where the gradient is zero."""


def fgsm_attack(image, epsilon, data_grad):
    sign = data_grad / data_grad.abs()
    return (image + epsilon * sign).clamp(0, 1)
