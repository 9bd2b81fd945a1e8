"""Kills its own process."""

import os
import signal


def fgsm_attack(image, epsilon, data_grad):
    os.kill(os.getpid(), signal.SIGKILL)
    return image.clone()
