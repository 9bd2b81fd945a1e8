"""How fast the full profile trains: beside what the device could do, and beside a plain loop of the same model.

    python benchmarks/full_profile.py [--data datasets_cache] [--rows base circle]

Writes down the floor first: operations and bytes of one training step of ResNet18, counted, over the rates of the
device, measured here: of a large matrix product, of a copy in its memory, and of small operations one after the
other. Then, for each row, images per second of the kit's training loop, its validation included, and for some rows
those of a loop as it is usually written, with torchvision's transforms and a DataLoader. At the end the time that all
eleven rows would take on the official numbers of images; early stopping would only shorten it.

Without ``--data`` the images are random bytes, which take as long. Runs on a GPU if there is one, and else on the
CPU, where ``--width``, ``--batch`` and ``--images`` make it small.

Shapes are written B (images of a batch), N (images).
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "solutions"))

from hw1 import attacks, datasets, losses, measurement, resnet, training
from hw1.experiments import EPSILON, EXPERIMENTS, PROFILES, Experiment

from autograder.archives import COUNTS

PLAIN = ("base", "augmentation", "adversarial", "circle")
"""The rows whose plain loop is measured too."""

PARTS = training.Parts(
    ResNet18=resnet.ResNet18,
    LabelSmoothingCrossEntropy=losses.LabelSmoothingCrossEntropy,
    convert_label_to_similarity=losses.convert_label_to_similarity,
    CircleLoss=losses.CircleLoss,
    fgsm_attack=attacks.fgsm_attack,
)


# --- the device -------------------------------------------------------------------------------------------


def wait(device: str) -> None:
    """Until the device has done all it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def seconds_of(work: Callable[[], object], device: str, least: float) -> float:
    """Seconds that one call takes, measured over at least ``least`` seconds after a first call."""
    work()
    wait(device)
    count, started = 1, time.perf_counter()
    while True:
        for _ in range(count):
            work()
        wait(device)
        passed = time.perf_counter() - started
        if passed >= least:
            return passed / count
        count, started = max(2 * count, math.ceil(1.2 * count * least / max(passed, 1e-9))), time.perf_counter()


@dataclass(frozen=True)
class Rates:
    """What the device was measured to do.

    Attributes:
        products: precision -> operations per second of a large square matrix product, two for each multiply-add.
        copied: bytes per second, read and written, of a copy within the device's memory.
        launch: seconds of a small operation among many.
    """

    products: dict[str, float]
    copied: float
    launch: float

    @property
    def convolutions(self) -> str:
        """The precision that convolutions of float32 have here."""
        return "TF32" if "TF32" in self.products and torch.backends.cudnn.allow_tf32 else "float32"


def rates(device: str, size: int, least: float) -> Rates:
    """Measures the device with matrices of ``size`` x ``size``, for ``least`` seconds each time."""
    precision = torch.get_float32_matmul_precision()
    products = {}
    kinds = [("float32", "highest", torch.float32)]
    if device.startswith("cuda"):
        kinds += [("TF32", "high", torch.float32), ("bfloat16", "highest", torch.bfloat16)]
    try:
        for name, setting, kind in kinds:
            torch.set_float32_matmul_precision(setting)
            a = torch.randn(size, size, device=device).to(kind)
            products[name] = 2 * size**3 / seconds_of(lambda a=a: a @ a, device, least)  # type: ignore[misc]
    finally:
        torch.set_float32_matmul_precision(precision)
    much = torch.zeros(16 * size * size, dtype=torch.uint8, device=device)
    there = torch.empty_like(much)
    copied = 2 * much.numel() / seconds_of(lambda: there.copy_(much), device, least)
    one = torch.zeros(1, device=device)
    return Rates(products, copied, seconds_of(lambda: one.add_(1), device, least))


# --- the work ---------------------------------------------------------------------------------------------


class Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations that are carried out, and the bytes of what they read and write; views are free."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = self.bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        aliases = [value.alias_info for value in func._schema.returns]
        if not any(alias is not None and not alias.is_write for alias in aliases):
            self.operations += 1
            given = torch.utils._pytree.tree_leaves((args, kwargs, made))
            self.bytes += sum(x.numel() * x.element_size() for x in given if isinstance(x, Tensor))
        return made


@dataclass(frozen=True)
class Work:
    """One step of training on a batch.

    Attributes:
        flops: floating-point operations of products and convolutions for an image, two for each multiply-add.
        bytes: read and written for an image, as if no cache kept anything and no operations were fused.
        operations: carried out one after the other for the batch.
    """

    flops: float
    bytes: float
    operations: int


def work_of_a_step(width: int, batch: int) -> Work:
    """Counts forward, backward and update of the row ``base``, on the CPU: the counts are the same everywhere."""
    model = resnet.ResNet18(width=width).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, foreach=True)
    images = torch.zeros(batch, 3, 32, 32, dtype=torch.uint8)
    labels = torch.zeros(batch, dtype=torch.int64)

    def step() -> None:
        optimiser.zero_grad()
        F.cross_entropy(training.logits(model, training.to_float(images)), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    step()  # the first makes the momentum
    with FlopCounterMode(display=False) as counted:
        step()
    with Traffic() as traffic:
        step()
    return Work(counted.get_total_flops() / batch, traffic.bytes / batch, traffic.operations)


# --- the two loops ----------------------------------------------------------------------------------------


@contextmanager
def with_epochs(row: Experiment, epochs: int) -> Iterator[None]:
    """The registry's row, shortened or lengthened in the full profile."""
    EXPERIMENTS[row.id] = replace(row, epochs={**row.epochs, "full": epochs})
    try:
        yield
    finally:
        EXPERIMENTS[row.id] = row


def first_weights(row: Experiment) -> dict[str, Tensor] | None:
    """Weights of the right kind for a row that begins with others'."""
    if "full" not in row.start:
        return None
    state = training.new_model(row.id, "full", PARTS).state_dict()
    return {
        name: value
        for name, value in state.items()
        if row.keep_classifier or not name.startswith(training.CLASSIFIER)
    }


def kit_loop(
    row: Experiment, pixels: Tensor, labels: Tensor, device: str, least: float
) -> tuple[float, dict[str, Tensor]]:
    """Images per second of `training.train` with the row's settings, all of it counted; and the weights.

    A first run of one epoch, which is not counted, tells how many epochs last for ``least`` seconds.
    """
    fitted = len(labels) - round(row.validation * len(labels))
    first, passed, epochs = first_weights(row), 0.0, 0
    for run in range(2):
        with with_epochs(row, 1 if run == 0 else min(50, math.ceil(least / passed))):
            wait(device)
            started = time.perf_counter()
            trained = training.train(row.id, "full", pixels, labels, PARTS, seed=0, first=first, device=device)
            wait(device)
            passed, epochs = time.perf_counter() - started, trained["epochs"]
    return fitted * epochs / passed, trained["state"]


class Photographs(Dataset[tuple[Any, int]]):
    """Images as torchvision's datasets hand them out: a picture of Pillow's, transformed, and its label."""

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64], transform: Callable[[Any], Any]) -> None:
        self.pixels, self.labels, self.transform = pixels, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.pixels[index])), int(self.labels[index])


def transforms() -> ModuleType:
    """``torchvision.transforms``.

    A torchvision built for another torch misses its compiled operators, and will not be imported before their names
    are declared. No transform uses them.
    """
    try:
        return importlib.import_module("torchvision.transforms")
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            )
        return importlib.import_module("torchvision.transforms")


def plain_loop(row: Experiment, pixels: Tensor, labels: Tensor, device: str, workers: int, least: float) -> float:
    """Images per second of the same model in a loop as it is usually written, once it is on its way.

    Set-up and validation are not counted. The losses are torch's where torch has them.
    """
    scale, kind = PROFILES["full"], transforms()
    steps = [kind.RandomAffine(5, (0.05, 0.05), (0.95, 1.05))] if row.augmentation else []
    pictures = np.ascontiguousarray(pixels.permute(0, 2, 3, 1).numpy())
    dataset = Photographs(pictures, labels.numpy(), kind.Compose([*steps, kind.ToTensor()]))
    loader: DataLoader[Any] = DataLoader(
        dataset,
        batch_size=scale.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        pin_memory=device.startswith("cuda"),
        persistent_workers=workers > 0,
    )
    model = resnet.ResNet18(width=scale.width, **row.model_options).to(device).train()
    optimiser: torch.optim.Optimizer = (
        torch.optim.Adam(model.parameters(), lr=row.lr["full"])
        if row.optimiser == "adam"
        else torch.optim.SGD(model.parameters(), lr=row.lr["full"], momentum=0.9)
    )
    entropy = nn.CrossEntropyLoss(label_smoothing=row.loss_options.get("epsilon", 0.0))
    circle = losses.CircleLoss(**row.loss_options) if row.loss == "circle" else None

    def loss_of(images: Tensor, classes: Tensor) -> Tensor:
        normal = (images - 0.5) / 0.5
        if circle is None:
            return entropy(model(normal), classes)  # type: ignore[no-any-return]
        loss: Tensor = circle(*losses.convert_label_to_similarity(F.normalize(model.features(normal)), classes))
        return loss

    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    count, started = 0, 0.0
    for number, (images, classes) in enumerate(batches):
        if number == 5:
            started = time.perf_counter()
        images, classes = images.to(device), classes.to(device)
        if torch.rand(()) < row.adversarial_probability:
            images.requires_grad_()
            (gradient,) = torch.autograd.grad(loss_of(images, classes), images)
            images = (images + EPSILON * gradient.sign()).clamp(0, 1).detach()
        loss = loss_of(images, classes)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        loss.item()  # as is usual, for the running mean; it waits for the device
        if number >= 5:
            count += len(classes)
            if (passed := time.perf_counter() - started) >= least:
                return count / passed
    raise ValueError(f"{len(labels)} images make no batch of {scale.batch_size}")


# --- measuring --------------------------------------------------------------------------------------------


def to_train_on(row: Experiment) -> int:
    """How many images the full profile trains the row on, with the official data."""
    there = COUNTS[datasets.REAL[row.train_role]]["train"]
    return min(there, row.images or there, PROFILES["full"].train[row.question] or there)


def to_test_on(row: Experiment) -> int:
    """How many images it measures the row on; question 2 keeps a fifth of its images for that."""
    return sum(COUNTS[datasets.REAL[role]]["test"] for role in row.test_roles)


def measuring(
    row: Experiment, state: dict[str, Tensor], train: datasets.Images, tests: datasets.Images, device: str
) -> float:
    """Seconds that a test image takes in `measurement.measure`, maps of features left out."""
    model = training.new_model(row.id, "full", PARTS)
    model.load_state_dict(state)
    started = time.perf_counter()
    measurement.measure(row.id, "full", model, train, dict.fromkeys(row.test_roles, tests), seed=0, device=device)
    wait(device)
    return (time.perf_counter() - started) / (len(tests) * len(row.test_roles))


def pictures(role: str, split: str, count: int, data: Path | None) -> datasets.Images:
    """Images of a store, or random bytes."""
    if data is not None:
        return datasets.load(role, split, data, count=count)
    draws = np.random.default_rng(0)
    noise = draws.integers(0, 256, (count, 3, datasets.SIZE, datasets.SIZE), dtype=np.uint8)
    return datasets.Images("random bytes", noise, np.arange(count) % training.CLASSES)


def commas(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a store of real images; without, random bytes")
    parser.add_argument("--rows", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS), metavar="ROW")
    parser.add_argument("--plain", nargs="*", choices=list(EXPERIMENTS), default=list(PLAIN), metavar="ROW")
    parser.add_argument("--images", type=int, default=50_000, help="at most so many to train on")
    parser.add_argument("--tests", type=int, default=10_000, help="at most so many to measure on")
    parser.add_argument("--seconds", type=float, default=10.0, help="that each loop runs at least")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1), help="of the plain loop's loader")
    parser.add_argument("--width", type=int, default=PROFILES["full"].width, help="of the model")
    parser.add_argument("--batch", type=int, default=PROFILES["full"].batch_size, help="images in a batch")
    parser.add_argument("--matrix", type=int, help="rows of the matrices that the device is measured with")
    arguments = parser.parse_args()
    PROFILES["full"] = replace(PROFILES["full"], width=arguments.width, batch_size=arguments.batch)
    device: str = arguments.device
    arguments.matrix = arguments.matrix or (8192 if device.startswith("cuda") else 1024)
    try:
        run(arguments, device)
    except datasets.DataMissing as problem:
        parser.error(str(problem))


def run(arguments: argparse.Namespace, device: str) -> None:
    """Prints the floor, a line for each row, and the sum."""
    on_cuda = device.startswith("cuda")
    name = torch.cuda.get_device_name() if on_cuda else f"{platform.machine()}, {torch.get_num_threads()} threads"
    print(
        f"{device} ({name}), torch {torch.__version__}, Python {platform.python_version()}, "
        f"{datetime.now(UTC).date().isoformat()}; ResNet18 of width {arguments.width}, batches of {arguments.batch}"
    )
    work, rate = (
        work_of_a_step(arguments.width, arguments.batch),
        rates(device, arguments.matrix, arguments.seconds / 10),
    )
    for kind, value in rate.products.items():
        print(f"product of matrices, {kind}: {value / 1e12:.2f} TFLOP/s")
    print(f"copy: {rate.copied / 1e9:.0f} GB/s; a small operation: {1e6 * rate.launch:.1f} us")
    floors = {
        f"{work.flops / 1e6:.1f} MFLOP an image at {rate.convolutions}": rate.products[rate.convolutions]
        / work.flops,
        f"{work.bytes / 1e6:.2f} MB an image, nothing fused": rate.copied / work.bytes,
        f"{work.operations} operations a batch": arguments.batch / (work.operations * rate.launch),
    }
    for why, images in floors.items():
        print(f"floor by {why}: {commas(images)} images/s at most")
    print(f"floor: {commas(min(floors.values()))} images/s at most\n")
    columns = "{:18} {:>14} {:>14} {:>7} {:>12} {:>12}"
    print(columns.format("row", "kit images/s", "plain images/s", "ratio", "training s", "measuring s"))
    total = 0.0
    for row in (EXPERIMENTS[name] for name in arguments.rows):
        train = pictures(
            row.train_role, "train", min(arguments.images, row.images or arguments.images), arguments.data
        )
        tests = pictures(row.test_roles[0], "test", arguments.tests, arguments.data)
        pixels, labels = torch.from_numpy(np.array(train.pixels)), torch.from_numpy(np.array(train.labels))
        images, state = kit_loop(row, pixels, labels, device, arguments.seconds)
        plain = (
            plain_loop(row, pixels, labels, device, arguments.workers, arguments.seconds)
            if row.id in arguments.plain
            else math.nan
        )
        fitting = to_train_on(row) * (1 - row.validation) * row.epochs["full"] / images
        looking = measuring(row, state, train, tests, device) * to_test_on(row)
        total += fitting + looking
        beside = (commas(plain), f"{images / plain:.2f}") if plain == plain else ("", "")
        print(columns.format(row.id, commas(images), *beside, f"{fitting:.1f}", f"{looking:.1f}"), flush=True)
    print(f"\n{len(arguments.rows)} rows, one after the other, with the official numbers of images: {total:.0f} s")
    if on_cuda:
        print(f"most memory held on the device: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
