"""Never comes to an end, nor lets itself be interrupted."""

from . import training

honest = training._Run.fit


def fit(self, fit, val, batch_size, epochs, lr, progress):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


training._Run.fit = fit
