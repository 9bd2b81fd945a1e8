"""Raises a gigabyte of words."""


def fgsm_attack(image, epsilon, data_grad):
    raise RuntimeError("a" * (1 << 28))
    return image.clone()
