"""Sleeps for a day."""

import time


def fgsm_attack(image, epsilon, data_grad):
    time.sleep(86400)
    return image.clone()
