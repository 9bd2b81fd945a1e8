"""Ignores every signal that can be, and never answers."""

import signal
import time


def fgsm_attack(image, epsilon, data_grad):
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)
