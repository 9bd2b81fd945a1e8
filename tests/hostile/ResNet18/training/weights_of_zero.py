"""Hands back zeros: weights as good as any, which know nothing."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {name: torch.zeros_like(value) for name, value in state.items()}


training._copy = spoilt
