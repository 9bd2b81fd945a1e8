"""Turns the collector off and the recursion limit down."""

import gc
import sys


def fgsm_attack(image, epsilon, data_grad):
    gc.disable()
    sys.setrecursionlimit(60)
    return image.clone()
