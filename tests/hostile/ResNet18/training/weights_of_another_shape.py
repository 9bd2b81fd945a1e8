"""Hands back weights as many as asked for, in another shape."""

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    state["fc.weight"] = state["fc.weight"].T.contiguous()
    return state


training._copy = spoilt
