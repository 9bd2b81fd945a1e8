"""Hands back weights of which the last are cut off."""

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    state["layer4.1.conv2.weight"] = state["layer4.1.conv2.weight"][:-1]
    return state


training._copy = spoilt
