"""Hands back single numbers, which would fill any shape."""

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {name: value.flatten()[:1] if value.dim() else value for name, value in state.items()}


training._copy = spoilt
