"""Waits for itself."""

import threading

lock = threading.Lock()


def fgsm_attack(image, epsilon, data_grad):
    lock.acquire()
    lock.acquire()
    return image.clone()
