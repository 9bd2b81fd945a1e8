"""What mistakes in an attack do to the figure: the course report's 48.41 % under FGSM, tried to be reached.

    python benchmarks/fgsm_mistakes.py [--data datasets_cache]   # trains, measures, stores beside this file
    python benchmarks/fgsm_mistakes.py --table                   # prints what is stored

The report has an undefended network at 69.91 % on clean images and at 48.41 % under FGSM with epsilon 0.1. This
trains the reference's row ``standard`` in the quick profile, once for each seed, and measures it under the attack as
it should be and under each mistake that comes to mind. A network that classifies better or worse than the report's
is compared by what part of its clean accuracy is left, 48.41 / 69.91 = 0.69 in the report.

Shapes are written B (images of a batch), N (images), C (channels), S (pixels of a side).
"""

from __future__ import annotations

import argparse
import copy
import functools
import io
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "solutions"))

from hw1 import attacks, datasets, losses, measurement, resnet, training
from hw1.experiments import EIGHT, EPSILON, EXPERIMENTS, NOISE, PROFILES

from autograder.results import write_atomically

STORED = Path(__file__).with_suffix(".json")

PUBLISHED = EXPERIMENTS["standard"].published
RATIO = PUBLISHED["fgsm"] / PUBLISHED["clean"]

BATCH = 64
"""Images that are attacked at a time, as a student's loader hands them out."""

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
"""Of CIFAR-10's channels, in [0, 1]: what its images are often normalised with."""

STRENGTHS = (*(i / 2 / 255 for i in range(17)), 12 / 255, 16 / 255, EPSILON)
"""For finding the epsilon, in pixel units, at which a right attack leaves what the report has."""


@dataclass
class Batch:
    """What an attack has to go by.

    Attributes:
        model: the network under attack, in eval mode.
        other: one trained alike from another seed.
        images: (B, 3, S, S), float in [0, 1].
        labels: (B,), int64.
        draws: random numbers, the same for every mistake.
    """

    model: nn.Module
    other: nn.Module
    images: Tensor
    labels: Tensor
    draws: torch.Generator

    def gradient(self, model: nn.Module | None = None, labels: Tensor | None = None) -> Tensor:
        """Of the cross-entropy with respect to the images; what is not given is as it should be."""
        if model is None and labels is None:
            return self._gradient
        network = self.model if model is None else model
        return measurement.gradient(
            lambda x: training.logits(network, x), self.images, self.labels if labels is None else labels
        )

    @functools.cached_property
    def _gradient(self) -> Tensor:
        return self.gradient(self.model)

    @functools.cached_property
    def predicted(self) -> Tensor:
        """What the network takes the clean images for (B,)."""
        return predicted(self.model, self.images)

    def hit(self, gradient: Tensor, epsilon: float = EPSILON) -> Tensor:
        """The images after the attack of the homework's reference."""
        return attacks.fgsm_attack(self.images, epsilon, gradient)

    def shuffled(self, values: Tensor) -> Tensor:
        """(B, ...) in another order, in which none keeps its place."""
        return values.roll(1 + int(torch.randint(max(1, len(values) - 1), (), generator=self.draws)), 0)

    def noise(self) -> Tensor:
        """Uniform in [-1, 1), of the images' shape."""
        return 2 * torch.rand(self.images.shape, generator=self.draws) - 1


Attack = Callable[[Batch], Tensor]
"""Makes attacked images (B, 3, S, S) in [0, 1] of a batch."""

Predict = Callable[[nn.Module, Tensor], Tensor]
"""Classes (B,) of images (B, 3, S, S)."""


@torch.no_grad()
def predicted(model: nn.Module, images: Tensor) -> Tensor:
    """As it should be."""
    return training.logits(model, images).argmax(1)


@torch.no_grad()
def with_batch_statistics(model: nn.Module, images: Tensor) -> Tensor:
    """In train mode, as where ``eval()`` was forgotten."""
    return predicted(copy.deepcopy(model).train(), images)


@torch.no_grad()
def with_raw_images(model: nn.Module, images: Tensor) -> Tensor:
    """Without the normalisation that the network was trained with."""
    classes: Tensor = model(images).argmax(1)
    return classes


@torch.no_grad()
def normalised_twice(model: nn.Module, images: Tensor) -> Tensor:
    """With the normalisation made twice."""
    return predicted(model, training.normalise(images))


@dataclass(frozen=True)
class Variant:
    """One way of measuring: right, or with a mistake.

    Attributes:
        words: what is done, for people.
        attack: what makes the attacked images.
        predict: how they are classified.
        clean: how clean images are classified; they are shown beside it.
        on_training_images: whether they are measured instead of the test images.
        relabel: what becomes of the labels (B,) that predictions are compared with.
    """

    words: str
    attack: Attack
    predict: Predict = predicted
    clean: Predict = predicted
    on_training_images: bool = False
    relabel: Callable[[Batch], Tensor] = lambda batch: batch.labels


def in_units(
    mean: Tensor, deviation: Tensor, low: Tensor | float, high: Tensor | float, epsilon: float = EPSILON
) -> Attack:
    """FGSM of ``epsilon`` in the units of normalised images, clamped there to [low, high]."""

    def attack(batch: Batch) -> Tensor:
        images = (batch.images - mean) / deviation
        attacked = (images + epsilon * batch.gradient().sign()).clamp(low, high)  # type: ignore[arg-type]
        return attacked * deviation + mean

    return attack


def _constant(value: float) -> Tensor:
    return torch.full((1, 3, 1, 1), value)


SPAN = _constant(0.5), _constant(0.5)
"""Mean and deviation that take [0, 1] to [-1, 1]."""

CHANNELS = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(DEVIATION).view(1, 3, 1, 1)


def encoded(form: str, **options: Any) -> Attack:
    """A right attack whose images are saved as a file and read again."""

    def attack(batch: Batch) -> Tensor:
        pixels = (batch.hit(batch.gradient()) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        read = []
        for image in pixels:
            file = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(image)).save(file, form, **options)
            read.append(np.asarray(Image.open(file).convert("RGB")))
        return training.to_float(torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2))

    return attack


def overflowing(batch: Batch) -> Tensor:
    """The perturbation is added to bytes, which begin again at 0 after 255."""
    change = (255 * EPSILON * batch.gradient().sign()).to(torch.int16)
    return training.to_float(((batch.images * 255).round().to(torch.int16) + change).remainder(256).to(torch.uint8))


def in_train_mode(batch: Batch) -> Tensor:
    """The gradient is that of the network in train mode, whose running statistics the batch moves as well."""
    model = copy.deepcopy(batch.model).train()
    return batch.hit(batch.gradient(model))


def untrained(batch: Batch) -> Tensor:
    with training.reproducible(0):
        model = resnet.ResNet18(width=batch.model.conv1.out_channels).eval()  # type: ignore[union-attr, arg-type]
    return batch.hit(batch.gradient(model))


def one_for_all(batch: Batch) -> Tensor:
    return batch.hit(batch.gradient().sum(0, keepdim=True))


def after_softmax(batch: Batch) -> Tensor:
    leaf = batch.images.clone().requires_grad_()
    loss = F.cross_entropy(training.logits(batch.model, leaf).softmax(1), batch.labels)
    return batch.hit(torch.autograd.grad(loss, leaf)[0])


def of_the_other_flip(batch: Batch) -> Tensor:
    """The loader flips at random: the gradient is of one flip and is added to the other, for half of the images."""
    flip = torch.rand(len(batch.labels), generator=batch.draws) < 0.5
    gradient = batch.gradient()
    return batch.hit(torch.where(flip.view(-1, 1, 1, 1), gradient.flip(3), gradient))


def of_mean_loss(batch: Batch) -> Tensor:
    """x + epsilon * gradient, of the loss's mean over the batch."""
    return (batch.images + EPSILON * batch.gradient() / len(batch.labels)).clamp(0, 1)


def of_own_loss(batch: Batch) -> Tensor:
    """x + epsilon * gradient, of each image's own loss, as in batches of one."""
    return (batch.images + EPSILON * batch.gradient()).clamp(0, 1)


def by_largest(batch: Batch) -> Tensor:
    gradient = batch.gradient()
    return (batch.images + EPSILON * gradient / gradient.abs().amax((1, 2, 3), keepdim=True)).clamp(0, 1)


def by_length(batch: Batch) -> Tensor:
    gradient = batch.gradient()
    length = gradient.square().sum((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-30)
    return (batch.images + EPSILON * gradient / length).clamp(0, 1)


def every_second(batch: Batch) -> Tensor:
    attacked = batch.hit(batch.gradient())
    chosen = torch.rand(len(batch.labels), generator=batch.draws) < 0.5
    return torch.where(chosen.view(-1, 1, 1, 1), attacked, batch.images)


def noisy(batch: Batch, images: Tensor, level: float) -> Tensor:
    return (images + level * torch.randn(images.shape, generator=batch.draws)).clamp(0, 1)


def _right(batch: Batch) -> Tensor:
    return batch.hit(batch.gradient())


VARIANTS = {
    "right": Variant("**as it should be**", _right),
    "right_noise": Variant(
        "**as it should be, then noise of 0.01** (the row's own measure)",
        lambda batch: noisy(batch, _right(batch), NOISE),
    ),
    "gradient_train_mode": Variant("gradient taken in train mode", in_train_mode),
    "predict_train_mode": Variant(
        "predictions in train mode", _right, predict=with_batch_statistics, clean=with_batch_statistics
    ),
    "both_train_mode": Variant(
        "`eval()` forgotten altogether", in_train_mode, predict=with_batch_statistics, clean=with_batch_statistics
    ),
    "other_images": Variant("gradient of other images", lambda batch: batch.hit(batch.shuffled(batch.gradient()))),
    "one_gradient": Variant("one gradient for a whole batch, its sum", one_for_all),
    "flipped": Variant("gradient of the mirrored image, for every second", of_the_other_flip),
    "other_seed": Variant(
        "gradient of another network (same training, other seed)",
        lambda batch: batch.hit(batch.gradient(batch.other)),
    ),
    "untrained": Variant("gradient of an untrained network", untrained),
    "after_softmax": Variant("softmax before the cross-entropy", after_softmax),
    "normalised_span": Variant(
        "epsilon in units of images normalised to [-1, 1], clamped there", in_units(*SPAN, -1.0, 1.0)
    ),
    "normalised_channels": Variant(
        "epsilon in units of images normalised by mean and deviation, clamped rightly",
        in_units(*CHANNELS, -CHANNELS[0] / CHANNELS[1], (1 - CHANNELS[0]) / CHANNELS[1]),
    ),
    "clamp_span": Variant("the same in [-1, 1], but clamped to [0, 1]", in_units(*SPAN, 0.0, 1.0)),
    "clamp_channels": Variant("the same by mean and deviation, but clamped to [0, 1]", in_units(*CHANNELS, 0.0, 1.0)),
    "not_normalised": Variant("attacked images not normalised", _right, predict=with_raw_images),
    "normalised_twice": Variant("attacked images normalised twice", _right, predict=normalised_twice),
    "no_clamp": Variant("no clamp", lambda batch: batch.images + EPSILON * batch.gradient().sign()),
    "over_255": Variant("epsilon / 255", lambda batch: batch.hit(batch.gradient(), EPSILON / 255)),
    "tenth": Variant("epsilon 0.01 for 0.1", lambda batch: batch.hit(batch.gradient(), EPSILON / 10)),
    "tenth_span": Variant(
        "the same, in units of images normalised to [-1, 1]", in_units(*SPAN, -1.0, 1.0, EPSILON / 10)
    ),
    "swapped": Variant(
        "epsilon and noise level exchanged (0.01, then noise of 0.1)",
        lambda batch: noisy(batch, batch.hit(batch.gradient(), NOISE), EPSILON),
    ),
    "bytes": Variant(
        "rounded to bytes",
        lambda batch: training.to_float((batch.hit(batch.gradient()) * 255).round().to(torch.uint8)),
    ),
    "overflow": Variant("added to bytes that overflow", overflowing),
    "png": Variant("saved as PNG", encoded("PNG")),
    "jpeg": Variant("saved as JPEG, quality 75", encoded("JPEG", quality=75)),
    "jpeg_small": Variant("saved as JPEG, quality 25", encoded("JPEG", quality=25)),
    "lost": Variant("perturbation lost (whole numbers, or the clean images classified)", lambda batch: batch.images),
    "labels_shuffled": Variant(
        "gradient for shuffled labels", lambda batch: batch.hit(batch.gradient(labels=batch.shuffled(batch.labels)))
    ),
    "compared_shuffled": Variant(
        "predictions compared with shuffled labels", _right, relabel=lambda batch: batch.shuffled(batch.labels)
    ),
    "labels_predicted": Variant(
        "gradient for predicted labels instead of true ones",
        lambda batch: batch.hit(batch.gradient(labels=batch.predicted)),
    ),
    "minus": Variant("minus for plus", lambda batch: batch.hit(-batch.gradient())),
    "random_sign": Variant("random signs in place of the gradient's", lambda batch: batch.hit(batch.noise())),
    "uniform": Variant(
        "uniform noise up to epsilon", lambda batch: (batch.images + EPSILON * batch.noise()).clamp(0, 1)
    ),
    "gaussian": Variant("Gaussian noise of deviation epsilon", lambda batch: noisy(batch, batch.images, EPSILON)),
    "no_sign": Variant("gradient of the mean loss without its sign", of_mean_loss),
    "no_sign_alone": Variant("gradient without its sign, in batches of one", of_own_loss),
    "by_largest": Variant("gradient over its largest value, in place of its sign", by_largest),
    "by_length": Variant("gradient over its length, in place of its sign", by_length),
    "every_second": Variant("only every second image attacked", every_second),
    "training_images": Variant("measured on the training images", _right, on_training_images=True),
    "eight": Variant("epsilon 8/255 for 0.1", lambda batch: batch.hit(batch.gradient(), EIGHT)),
}
"""Key -> variant, in the order of the table."""


@contextmanager
def with_epochs(epochs: int | None) -> Iterator[None]:
    """The row, with other epochs in the quick profile."""
    row = EXPERIMENTS["standard"]
    EXPERIMENTS["standard"] = replace(row, epochs={**row.epochs, "quick": epochs or row.epochs["quick"]})
    try:
        yield
    finally:
        EXPERIMENTS["standard"] = row


@contextmanager
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def accuracies(
    wanted: Sequence[str], model: nn.Module, other: nn.Module, pixels: Tensor, labels: Tensor
) -> dict[str, tuple[float, float]]:
    """For each of these variants the accuracies, in [0, 1], on clean and on attacked images (N, 3, S, S), uint8."""
    draws = {key: torch.Generator().manual_seed(0) for key in wanted}
    right = {key: [0, 0] for key in wanted}
    for part, classes in zip(torch.split(pixels, BATCH), torch.split(labels, BATCH), strict=True):
        batch = Batch(model, other, training.to_float(part), classes, torch.Generator())
        for key in wanted:
            variant, batch.draws = VARIANTS[key], draws[key]
            clean = batch.predicted if variant.clean is predicted else variant.clean(model, batch.images)
            attacked = variant.predict(model, variant.attack(batch))
            right[key][0] += int((clean == classes).sum())
            right[key][1] += int((attacked == variant.relabel(batch)).sum())
    return {key: (clean / len(labels), attacked / len(labels)) for key, (clean, attacked) in right.items()}


def strength(model: nn.Module, pixels: Tensor, labels: Tensor) -> float | None:
    """The epsilon, in pixel units, at which a right attack leaves `RATIO` of the clean accuracy."""
    classify, slope = (
        lambda images: predicted(model, images),
        lambda images, classes: measurement.gradient(lambda x: training.logits(model, x), images, classes),
    )
    curve = measurement.robust_curve(classify, slope, pixels, labels, STRENGTHS)
    for i in range(1, len(curve)):
        if curve[i] <= RATIO * curve[0]:
            part = (curve[i - 1] - RATIO * curve[0]) / max(curve[i - 1] - curve[i], 1e-12)
            return STRENGTHS[i - 1] + part * (STRENGTHS[i] - STRENGTHS[i - 1])
    return None


def tensors(images: datasets.Images) -> tuple[Tensor, Tensor]:
    """Pixels and labels in a random order, always the same: a store may hold class after class."""
    order = np.random.default_rng(0).permutation(len(images))
    return torch.from_numpy(images.pixels[order]), torch.from_numpy(images.labels[order])


def study(
    data: Path | None, images: int, tests: int, seeds: int, epochs: int | None, told: Callable[[str], None]
) -> dict[str, Any]:
    """Trains and measures.

    Args:
        data: a store of real images, or None for the embedded objects.
        images: how many to train on, the validation part included.
        tests: how many test images to measure on, and as many training images.
        seeds: how many networks; at least two.
        epochs: at most so many passes over the images, or None for as many as the row has.
        told: called with a line on what has been done.
    """
    train = datasets.load("objects", "train", data, count=images)
    measured = {
        False: tensors(datasets.load("objects", "test", data, count=tests)),
        True: tensors(train.take(tests, 0)),
    }
    parts = training.Parts(
        ResNet18=resnet.ResNet18,
        LabelSmoothingCrossEntropy=losses.LabelSmoothingCrossEntropy,
        fgsm_attack=attacks.fgsm_attack,
    )
    models, passes = [], []
    with one_thread(), with_epochs(epochs):
        for seed in range(seeds):
            trained = training.train("standard", "quick", *tensors(train), parts, seed=seed)
            model = training.new_model("standard", "quick", parts)
            model.load_state_dict(trained["state"])
            models.append(model.eval().requires_grad_(False).to(memory_format=torch.channels_last))  # type: ignore[call-overload]
            passes.append(trained["epochs"])
            told(f"network {seed} trained for {passes[-1]} epochs")
        figures: dict[str, dict[str, list[float]]] = {key: {"clean": [], "attacked": []} for key in VARIANTS}
        for seed, model in enumerate(models):
            for training_images, images_of in measured.items():
                keys = [key for key, variant in VARIANTS.items() if variant.on_training_images == training_images]
                for key, pair in accuracies(keys, model, models[seed - 1], *images_of).items():
                    figures[key]["clean"].append(pair[0])
                    figures[key]["attacked"].append(pair[1])
            told(f"network {seed} attacked; as it should be, {figures['right']['attacked'][-1]:.1%} are left")
        return {
            "data": train.name,
            "images": len(train),
            "tests": len(measured[False][1]),
            "width": PROFILES["quick"].width,
            "epochs": passes,
            "seeds": seeds,
            "device": "cpu",
            "torch": torch.__version__.partition("+")[0],
            "date": datetime.now(UTC).date().isoformat(),
            "figures": figures,
            "strength": [strength(model, *measured[False]) for model in models],
        }


def table(stored: dict[str, Any]) -> str:
    """A study as Markdown: one line for each variant, those nearest to the report's ratio in italics."""
    lines = ["| FGSM, epsilon 0.1 | clean | attacked | spread | left |", "|---|---|---|---|---|"]
    for key, variant in VARIANTS.items():
        if key not in stored["figures"]:
            continue
        clean, attacked = (stored["figures"][key][name] for name in ("clean", "attacked"))
        mean = statistics.fmean(attacked)
        left = mean / statistics.fmean(clean)
        lines.append(
            f"| {variant.words} | {statistics.fmean(clean):.1%} | {mean:.1%} | {statistics.stdev(attacked):.1%} "
            f"| {left:.2f} |"
        )
    lines.append(f"| the course's report | {PUBLISHED['clean']:.2%} | {PUBLISHED['fgsm']:.2%} | | **{RATIO:.2f}** |")
    found = [value for value in stored["strength"] if value is not None]
    at = (
        f"A right attack leaves {RATIO:.2f} of the clean accuracy at epsilon {255 * statistics.fmean(found):.1f}/255."
        if len(found) == len(stored["strength"])
        else f"A right attack leaves more than {RATIO:.2f} of the clean accuracy up to epsilon {EPSILON}."
    )
    epochs = " and ".join(map(str, sorted(set(stored["epochs"]))))
    made = (
        f"({stored['data']}, {stored['images']:,} images to train on and {stored['tests']:,} to test on; ResNet18 of "
        f"width {stored['width']}, {epochs} epochs, {stored['seeds']} seeds; {stored['device']}, torch "
        f"{stored['torch']}, {stored['date']}.)"
    )
    return "\n".join([*lines, "", f"{at} {made}"])


def main() -> None:
    """Trains, measures, stores and prints; or prints what is stored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a store of real images; without, the embedded objects")
    parser.add_argument("--images", type=int, default=10_000, help="how many to train on (default: %(default)s)")
    parser.add_argument("--tests", type=int, default=2000, help="how many to test on (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="how many networks, 2 or more (default: %(default)s)")
    parser.add_argument("--epochs", type=int, help="passes over the images at most (default: as the row has)")
    parser.add_argument("--stored", type=Path, default=STORED, help="where results are kept (default: %(default)s)")
    parser.add_argument("--table", action="store_true", help="run nothing; print what is stored")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("--seeds must be 2 or more: networks are attacked through each other")
    stored = json.loads(arguments.stored.read_text()) if arguments.stored.exists() else {}
    if not arguments.table:
        try:
            made = study(
                arguments.data,
                arguments.images,
                arguments.tests,
                arguments.seeds,
                arguments.epochs,
                lambda line: print(line, file=sys.stderr, flush=True),
            )
        except datasets.DataMissing as problem:
            parser.error(str(problem))
        stored[f"{made['data']}, {made['images']}"] = made
        write_atomically(arguments.stored, (json.dumps(stored, indent=1, sort_keys=True) + "\n").encode())
    print("\n\n".join(table(stored[key]) for key in sorted(stored)))


if __name__ == "__main__":
    main()
