"""Hands back weights that are sparse, with indices outside of their shape."""

import torch

from . import training

copy = training._copy


def spoilt(model):
    state = copy(model)
    state["fc.bias"] = torch.sparse_coo_tensor([[99]], [1.0], (10,), check_invariants=False)
    return state


training._copy = spoilt
