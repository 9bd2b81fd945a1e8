"""Hands back weights that are finite, and too large to compute with."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {
        name: torch.full_like(value, 3e38) if value.is_floating_point() else value for name, value in state.items()
    }


training._copy = spoilt
