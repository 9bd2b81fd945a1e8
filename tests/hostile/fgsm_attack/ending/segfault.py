"""Reads where nothing is."""

import ctypes


def fgsm_attack(image, epsilon, data_grad):
    ctypes.string_at(0)
    return image.clone()
