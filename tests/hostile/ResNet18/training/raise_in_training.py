"""Raises what is no Exception, with a text full of markup."""

from . import training

honest = training._Run.fit


def fit(self, fit, val, batch_size, epochs, lr, progress):
    raise KeyboardInterrupt("<script>alert(1)</script>\u202e\x1b[2J{reached}%s")


training._Run.fit = fit
