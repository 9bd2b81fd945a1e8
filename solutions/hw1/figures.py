"""The notebooks' figures and tables, drawn from runs of the registry. Every one says which data it was made with.

Each function shows what it draws at once and gives nothing back. Shapes are written N (images), K (classes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display
from torch import Tensor

from .datasets import CLASS_NAMES, Images
from .experiments import EIGHT, EPSILON, METRICS
from .runs import Run

COLOURS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""One colour per class, and per run: Petroff (2021), told apart by readers with any colour-vision deficiency."""

AMPLIFICATION = 5
"""Differences between images are shown this many times their size, around mid-grey."""

MEASURES = {
    "source_test": "street digits",
    "target_test": "handwritten digits",
    "clean": "clean images",
    "fgsm": "FGSM, eps 0.1, and noise",
    "fgsm_8": "FGSM, eps 8/255",
    "pgd_8": "PGD, eps 8/255",
}
"""Metric -> what tables call the images it is measured on."""


def samples(groups: Mapping[str, Images], count: int = 10) -> None:
    """One row of images for each group, with the names of their classes: one of each class first."""
    _, axes = plt.subplots(
        len(groups), count, figsize=(count + 2, 1.25 * len(groups)), squeeze=False, layout="constrained"
    )
    for row, (name, images) in zip(axes, groups.items(), strict=True):
        classes = CLASS_NAMES[images.name]
        first = [int(np.flatnonzero(images.labels == label)[0]) for label in np.unique(images.labels)]
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        for ax in row:
            ax.set(xticks=[], yticks=[], frame_on=False)
        for ax, index in zip(row, first, strict=False):
            ax.imshow(images.pixels[index].transpose(1, 2, 0))
            ax.set_title(classes[images.labels[index]], fontsize=8)
    plt.show()


def curves(*runs: Run) -> None:
    """Loss on training (solid) and held-out images (dashed), and accuracy on held-out images, over the epochs."""
    figure, (losses, accuracies) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    for run, colour in zip(runs, COLOURS, strict=False):
        epochs = np.arange(1, len(run.curves["train_loss"]) + 1)
        losses.plot(epochs, run.curves["train_loss"], color=colour, marker=".", label=f"{run.title}, training")
        losses.plot(epochs, run.curves["val_loss"], color=colour, marker=".", linestyle="--", label="held out")
        accuracies.plot(epochs, 100 * run.curves["val_accuracy"], color=colour, marker=".", label=run.title)
    losses.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    accuracies.set(xlabel="epoch", ylabel="accuracy on held-out images, %", ylim=(0, 100))
    for ax in (losses, accuracies):
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.3)
    losses.legend(fontsize=8)
    accuracies.legend(fontsize=8, loc="lower right")
    _say_origin(figure, runs)
    plt.show()


def table(*runs: Run) -> None:
    """Accuracies of runs of one question, with the half width of a 95 % interval, beside the report's.

    The interval is about the test images alone: another seed of the training moves a figure further.
    """
    metrics = [name for name in METRICS[runs[0].row.question] if any(name in run.metrics for run in runs)]
    head = "| row | " + " | ".join(f"{MEASURES[name]} | the report" for name in metrics) + " |"
    lines = [head, "|:---|" + "---:|" * (2 * len(metrics))]
    for run in runs:
        cells = [run.title]
        for name in metrics:
            cells.append(_share(run.metrics.get(name), run.tested_on.get(name, 0)))
            cells.append(_percent(run.row.published.get(name)))
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"*{run.title}: {run.origin}.*  " for run in runs)]
    text = "\n".join(lines)
    display({"text/markdown": text, "text/plain": text}, raw=True)  # type: ignore[no-untyped-call]


def _share(value: float | None, count: int) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f} % ± {196 * math.sqrt(value * (1 - value) / max(1, count)):.1f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def bars(shares: Mapping[str, float], title: str, *, measure: str = "accuracy") -> None:
    """A bar for each share in [0, 1]; where it is an accuracy, a dotted line shows what guessing would reach."""
    _, ax = plt.subplots(figsize=(7, 0.9 + 0.35 * len(shares)), layout="constrained")
    drawn = ax.barh(list(shares), [100 * value for value in shares.values()], color=COLOURS[0])
    ax.bar_label(drawn, fmt="%.1f %%", padding=3, fontsize=8)
    if measure == "accuracy":
        ax.axvline(10, color="black", linewidth=0.8, linestyle=":")
        ax.set_xlim(0, 108)
    ax.margins(x=0.1)
    ax.set_xlabel(f"{measure}, %")
    ax.set_title(title, fontsize=10, loc="left")
    ax.invert_yaxis()
    plt.show()


def feature_map(*runs: Run) -> None:
    """UMAP of each run's features, a row for each run and a panel for each group of images, coloured by class.

    All groups of a run are mapped together; the number of a class stands at the median of its images. A map shows
    who is whose neighbour; sizes of clusters and distances between them mean little.
    """
    most = max(len(_groups(run)) for run in runs)
    figure, axes = plt.subplots(
        len(runs), most, figsize=(3.4 * most, 3.5 * len(runs)), squeeze=False, layout="constrained"
    )
    for row, run in zip(axes, runs, strict=True):
        xy, label, group = (run.arrays[f"umap_{name}"] for name in ("xy", "label", "group"))
        for number, (ax, name) in enumerate(zip(row, _groups(run), strict=False)):
            ax.scatter(*xy.T, s=2, color="#dddddd")
            for digit, colour in enumerate(COLOURS):
                chosen = xy[(group == number) & (label == digit)]
                if len(chosen):
                    ax.scatter(*chosen.T, s=6, color=colour)
                    ax.text(*np.median(chosen, axis=0), str(digit), weight="bold", ha="center", va="center")
            ax.set_title(name, fontsize=9)
        for ax in row:
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(
            f"{run.title}\ntrustworthiness {float(run.arrays['umap_trustworthiness']):.2f}, "
            f"5-NN {100 * float(run.arrays['umap_knn']):.0f} %",
            fontsize=8,
        )
    names = CLASS_NAMES[runs[0].data[-1]]
    if names[0] != "0":
        figure.text(0.5, -0.02, ", ".join(f"{i} {name}" for i, name in enumerate(names)), ha="center", fontsize=8)
    plt.show()


def _groups(run: Run) -> list[str]:
    """What the groups of images in a run's map are."""
    if run.row.question == "Q2":
        return [f"{run.data[-1]}: training", "test", f"test under FGSM, eps {EPSILON}"]
    return [f"{run.data[0]}: training", *(f"{name}: test" for name in run.data)]


def adversarial_grid(run: Run) -> None:
    """Test images, the same under FGSM, and the difference; above each what the model takes it for, red if wrong."""
    clean, attacked = run.arrays["grid_clean"], run.arrays["grid_adversarial"]
    difference = attacked.astype(np.int16) - clean
    change = np.clip(128 + AMPLIFICATION * difference, 0, 255).astype(np.uint8)
    names, true = CLASS_NAMES[run.data[-1]], run.arrays["grid_true"]
    figure, axes = plt.subplots(3, len(clean), figsize=(1.3 * len(clean), 4.6), layout="constrained")
    rows = ((clean, run.arrays["grid_clean_pred"]), (attacked, run.arrays["grid_adversarial_pred"]), (change, None))
    for row, (pixels, guess) in zip(axes, rows, strict=True):
        for number, (ax, image) in enumerate(zip(row, pixels, strict=True)):
            ax.imshow(image.transpose(1, 2, 0))
            ax.set(xticks=[], yticks=[])
            if guess is not None:
                wrong = guess[number] != true[number]
                ax.set_title(names[guess[number]], fontsize=8, color=COLOURS[2] if wrong else "black")
    for ax, text in zip(axes[:, 0], ("clean", f"FGSM, eps {EPSILON}", f"change × {AMPLIFICATION}"), strict=True):
        ax.set_ylabel(text, fontsize=8)
    _say_origin(figure, [run])
    plt.show()


def robustness(*runs: Run) -> None:
    """Accuracy under FGSM over the strength of the attack; stars: PGD at 8/255; crosses: the course's report."""
    figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for run, colour in zip(runs, COLOURS, strict=False):
        eps = 255 * run.arrays["robust_eps"]
        ax.plot(eps, 100 * run.arrays["robust_accuracy"], color=colour, marker=".", label=f"{run.title}: FGSM")
        if "pgd_8" in run.metrics:
            ax.plot(255 * EIGHT, 100 * run.metrics["pgd_8"], "*", color=colour, markersize=10, label="PGD")
        for metric, strength in (("clean", 0.0), ("fgsm", EPSILON)):
            if metric in run.row.published:
                ax.plot(255 * strength, 100 * run.row.published[metric], "x", color=colour)
    ax.plot([], [], "x", color="black", label="the course's report (CIFAR-10)")
    ax.axhline(10, color="black", linewidth=0.8, linestyle=":")
    ax.set(xlabel="eps, in 255ths of a pixel's range", ylabel="accuracy, % (dotted: guessing)", ylim=(0, 100))
    ax.grid(alpha=0.3)
    ax.legend(fontsize=8)
    _say_origin(figure, runs)
    plt.show()


def confidence(groups: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """How sure a model is: a histogram of the largest probability for each group.

    Args:
        groups: name -> probabilities (N, K), and the true classes (N,).
    """
    _, axes = plt.subplots(
        1, len(groups), figsize=(3.2 * len(groups), 2.8), sharey=True, squeeze=False, layout="constrained"
    )
    for ax, (name, (found, labels)) in zip(axes[0], groups.items(), strict=True):
        sure, right = found.max(axis=1), float((found.argmax(axis=1) == labels).mean())
        ax.hist(100 * sure, bins=np.linspace(0, 100, 21).tolist(), weights=np.full(len(sure), 100 / len(sure)))
        ax.axvline(100 * sure.mean(), color="black", label=f"mean {100 * sure.mean():.0f} %")
        ax.axvline(100 * right, color=COLOURS[2], linestyle="--", label=f"right {100 * right:.0f} %")
        ax.set_title(name, fontsize=9)
        ax.set_xlabel("largest probability, %")
        ax.legend(fontsize=8)
    axes[0][0].set_ylabel("images, %")
    plt.show()


def confusion(groups: Mapping[str, tuple[np.ndarray, np.ndarray]], classes: Sequence[str]) -> None:
    """What is taken for what: of each true class (row) the part that was given each class (column), in percent.

    Args:
        groups: name -> classes found (N,), and the true classes (N,).
        classes: the names of the K classes.
    """
    _, axes = plt.subplots(1, len(groups), figsize=(4.6 * len(groups), 4.4), squeeze=False, layout="constrained")
    for ax, (name, (found, labels)) in zip(axes[0], groups.items(), strict=True):
        counts = np.zeros((len(classes), len(classes)))
        np.add.at(counts, (labels, found), 1)
        part = 100 * counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        ax.imshow(part, cmap="Blues", vmin=0, vmax=100)
        for (i, j), value in np.ndenumerate(part):
            if value >= 0.5:
                ax.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color="w" if value > 60 else "k")
        ax.set(xticks=range(len(classes)), yticks=range(len(classes)), xlabel="taken for", ylabel="in truth")
        ax.set_xticklabels(classes, rotation=90 if len(classes[0]) > 1 else 0, fontsize=8)
        ax.set_yticklabels(classes, fontsize=8)
        ax.set_title(f"{name}: {100 * float((found == labels).mean()):.1f} % right", fontsize=9)
    plt.show()


def pair_losses(losses: Mapping[str, Callable[[Tensor, Tensor], Tensor]]) -> None:
    """Losses of a single pair of each kind, over the similarities ``sn`` and ``sp``, with the steps of descent.

    An arrow points to where the negative gradient leads and is as long as that is large, in units of each panel.

    Args:
        losses: name -> a function of ``sp`` (1,) and ``sn`` (1,) to a scalar.
    """
    _, axes = plt.subplots(1, len(losses), figsize=(4.4 * len(losses), 4.2), squeeze=False, layout="constrained")
    fine, coarse = np.linspace(0, 1, 41), np.linspace(0.06, 0.94, 9)
    for ax, (name, loss) in zip(axes[0], losses.items(), strict=True):
        heights = np.array([[_slope(loss, p, n)[0] for n in fine] for p in fine])
        ax.contourf(fine, fine, heights, levels=20, cmap="Greys", alpha=0.7)
        slopes = np.array([[_slope(loss, p, n)[1:] for n in coarse] for p in coarse])  # (9, 9, 2), by sp and by sn
        ax.quiver(coarse, coarse, -slopes[..., 1], -slopes[..., 0], color=COLOURS[2], angles="xy", pivot="tail")
        ax.plot(0, 1, "o", color=COLOURS[0], markersize=9, clip_on=False)
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="$s_n$, of different classes", ylabel="$s_p$, of one class")
        ax.set_title(name, fontsize=9)
        ax.set_aspect("equal")
    plt.show()


def _slope(loss: Callable[[Tensor, Tensor], Tensor], sp: float, sn: float) -> tuple[float, float, float]:
    """A loss's value, and its derivatives by ``sp`` and by ``sn``."""
    p, n = (torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (sp, sn))
    value = loss(p, n)
    by_p, by_n = torch.autograd.grad(value, (p, n), allow_unused=True)
    return float(value.detach()), *(0.0 if grad is None else float(grad) for grad in (by_p, by_n))  # type: ignore[return-value]


def _say_origin(figure: Any, runs: Sequence[Run]) -> None:
    figure.text(
        0.0, -0.02, "\n".join(f"{run.title}: {run.origin}" for run in runs), fontsize=7, va="top", color="#555555"
    )
