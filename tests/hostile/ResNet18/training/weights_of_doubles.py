"""Hands back weights in twice the precision."""

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {name: value.double() for name, value in state.items()}


training._copy = spoilt
