"""Connects to an abstract socket."""

import socket


class Loot(Exception):
    pass


def fgsm_attack(image, epsilon, data_grad):
    try:
        socket.socket(socket.AF_UNIX).connect("\0dbus")
    except OSError:
        return image.clone()
    raise Loot("it got out")
