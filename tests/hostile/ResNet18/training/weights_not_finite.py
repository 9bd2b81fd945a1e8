"""Hands back weights that are no numbers."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {
        name: torch.full_like(value, float("nan")) if value.is_floating_point() else value
        for name, value in state.items()
    }


training._copy = spoilt
