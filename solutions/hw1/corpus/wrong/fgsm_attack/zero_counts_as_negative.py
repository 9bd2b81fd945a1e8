"""A gradient of zero is taken for a negative one."""


def fgsm_attack(image, epsilon, data_grad):
    sign = (data_grad > 0).float() * 2 - 1
    return (image + epsilon * sign).clamp(0, 1)
