"""Sends a datagram."""

import socket


class Loot(Exception):
    pass


def fgsm_attack(image, epsilon, data_grad):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"loot", ("127.0.0.1", 53))
    except OSError:
        return image.clone()
    raise Loot("it got out")
