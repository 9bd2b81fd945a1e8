"""Hands back only half of its weights."""

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return dict(list(state.items())[: len(state) // 2])


training._copy = spoilt
