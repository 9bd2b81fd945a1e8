"""Prints without end."""

import os
import sys


def fgsm_attack(image, epsilon, data_grad):
    while True:
        sys.stdout.write("x" * (1 << 20))
        os.write(2, b"x" * (1 << 20))
