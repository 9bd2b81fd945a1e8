"""Hands back curves that no figure can show."""

from . import training

honest = training._Run.fit


def fit(self, fit, val, batch_size, epochs, lr, progress):
    trained = honest(self, fit, val, batch_size, epochs, lr, progress)
    trained["curves"] = {
        "train_loss": [float("nan"), 1e300, 10**400],
        "val_loss": ["<script>", None, True],
        "val_accuracy": [0.5] * 60_000,
        "../../results": [1.0],
    }
    trained["epochs"] = 10**9
    return trained


training._Run.fit = fit
