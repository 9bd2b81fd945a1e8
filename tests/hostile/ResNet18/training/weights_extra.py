"""Hands back a weight more, by a name that is markup."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    return state | {"<script>alert(1)</script>": torch.zeros(1)}


training._copy = spoilt
