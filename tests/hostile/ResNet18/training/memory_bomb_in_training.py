"""Takes memory until none is left."""

import torch

from . import training

honest = training._Run.fit


def fit(self, fit, val, batch_size, epochs, lr, progress):
    held = []
    while True:
        held.append(torch.ones(64 << 20))


training._Run.fit = fit
