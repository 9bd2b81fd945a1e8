"""Hands back weights that have a shape and no numbers."""

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {name: value.to("meta") for name, value in state.items()}


training._copy = spoilt
