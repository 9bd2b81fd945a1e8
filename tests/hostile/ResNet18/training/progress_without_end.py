"""Tells of its progress for ever."""

from . import training

honest = training._Run.fit


def fit(self, fit, val, batch_size, epochs, lr, progress):
    while True:
        progress(0.5)


training._Run.fit = fit
