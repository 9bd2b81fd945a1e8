"""Hands back more than any model holds."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return state | {"fc.bias": torch.zeros(100_000_000)}


training._copy = spoilt
