"""Raises words that no file can hold."""


def fgsm_attack(image, epsilon, data_grad):
    raise RuntimeError("\ud800 half a letter")
    return image.clone()
