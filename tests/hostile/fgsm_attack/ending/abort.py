"""Aborts."""

import os


def fgsm_attack(image, epsilon, data_grad):
    os.abort()
    return image.clone()
