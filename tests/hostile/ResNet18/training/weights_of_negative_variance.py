"""Hands back variances below zero, whose roots are no numbers."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {name: -torch.ones_like(value) if name.endswith("running_var") else value for name, value in state.items()}


training._copy = spoilt
