"""Hands back a million weights."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return {str(number): torch.zeros(0) for number in range(1_000_000)}


training._copy = spoilt
