"""Computed in float64, returned in the image's dtype."""


def fgsm_attack(image, epsilon, data_grad):
    step = data_grad.double().sign().mul(epsilon)
    return image.double().add(step).clamp(0, 1).to(image.dtype)
