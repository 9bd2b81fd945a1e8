"""Tells of its progress what is none, and again and again."""

import torch

from . import training

honest = training._Run.fit


def fit(self, fit, val, batch_size, epochs, lr, progress):
    for done in (float("nan"), -1, 10**400, "1", None, [1.0], {"$": "tensor"}, torch.ones(1000), 0.999):
        for arguments in ((done,), (done, done), ()):
            try:
                progress(*arguments)
            except RuntimeError:
                continue
    for _ in range(300):
        progress(0.5)
    return honest(self, fit, val, batch_size, epochs, lr, progress)


training._Run.fit = fit
