"""Rows of the registry, run with this folder's own stubs and remembered on disk: what the notebooks work with.

Training and measuring are those of `training` and `measurement`. What they give is kept in the folder ``results``
beside this file, so that a notebook that is run again shows the same figures at once. A result is made anew as soon
as the code it came from, its settings or its images change; comments do not count.

How large a run is stands in the environment: ``HW1_PROFILE`` (quick or full), ``HW1_DATA`` (a folder of real images
in place of the embedded ones), and ``HW1_IMAGES`` (train and test on at most so many images: seconds, for a first
look).

Shapes are written N (images), K (classes).
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import os
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import datasets, measurement, training, weights
from .attacks import fgsm_attack
from .datasets import Images
from .experiments import EXPERIMENTS, PROFILES, WEIGHTS, Experiment
from .losses import CircleLoss, LabelSmoothingCrossEntropy, convert_label_to_similarity
from .resnet import ResNet18

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "results"
"""Where results are kept, and in its folder ``weights`` the trained weights. All of it may be deleted at any time."""

PARTS: training.Parts = {
    "ResNet18": ResNet18,
    "LabelSmoothingCrossEntropy": LabelSmoothingCrossEntropy,
    "convert_label_to_similarity": convert_label_to_similarity,
    "CircleLoss": CircleLoss,
    "fgsm_attack": fgsm_attack,
}
"""The stubs of this folder."""

_MODULES = {
    "ResNet18": "resnet",
    "LabelSmoothingCrossEntropy": "losses",
    "convert_label_to_similarity": "losses",
    "CircleLoss": "losses",
    "fgsm_attack": "attacks",
}
_CHECKS = {
    "ResNet18": "resnet",
    "LabelSmoothingCrossEntropy": "smoothing",
    "convert_label_to_similarity": "similarity",
    "CircleLoss": "circle",
    "fgsm_attack": "fgsm",
}
"""Stub -> what ``pytest -k`` calls its checks."""

_TRIALS: dict[str, Callable[[], object]] = {
    "ResNet18": lambda: ResNet18(width=1).eval()(torch.zeros(1, 3, 32, 32)),
    "LabelSmoothingCrossEntropy": lambda: LabelSmoothingCrossEntropy()(
        torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64)
    ),
    "convert_label_to_similarity": lambda: convert_label_to_similarity(
        torch.ones(2, 1), torch.zeros(2, dtype=torch.int64)
    ),
    "CircleLoss": lambda: CircleLoss(0.25, 4.0)(torch.ones(1), torch.zeros(1)),
    "fgsm_attack": lambda: fgsm_attack(torch.zeros(1, 1, 1, 1), 0.1, torch.zeros(1, 1, 1, 1)),
}
"""Stub -> the smallest call of it, which shows whether it is written."""

_NO_PART = {"figures", "pack", "runs"}
"""Modules of this folder that no result depends on."""


class CannotRun(Exception):
    """What keeps a notebook from going on, and the cure: one line in English and one in Persian."""

    def __init__(self, en: str, fa: str) -> None:
        super().__init__(f"{en}\n{fa}")

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback, which would lead into code that is not the student's."""
        return str(self).split("\n")


@dataclass(frozen=True)
class Size:
    """How large runs are: ``profile`` a key of `PROFILES`, ``data`` a store of real images or None, ``images`` the
    most that is trained and tested on, or None for as many as the profile has."""

    profile: str
    data: Path | None
    images: int | None

    @classmethod
    def wanted(cls) -> Size:
        """What the environment asks for.

        Raises:
            CannotRun: it asks for what there is not.
        """
        profile, images = os.environ.get("HW1_PROFILE", "quick"), os.environ.get("HW1_IMAGES")
        if profile not in PROFILES:
            known = ", ".join(PROFILES)
            raise CannotRun(
                f"HW1_PROFILE is {profile!r}, but should be one of {known}.",
                f"مقدار HW1_PROFILE یعنی {profile!r} پذیرفته نیست؛ یکی از این‌ها باشد: {known}.",
            )
        if images is not None and not (images.isdecimal() and int(images) >= 40):
            raise CannotRun(
                f"HW1_IMAGES is {images!r}, but should be a whole number of at least 40.",
                f"مقدار HW1_IMAGES یعنی {images!r} پذیرفته نیست؛ عددی صحیح و دست‌کم ۴۰ باشد.",
            )
        data = os.environ.get("HW1_DATA")
        return cls(profile, Path(data) if data else None, int(images) if images else None)


@dataclass(frozen=True)
class Run:
    """A row that was trained and measured.

    Attributes:
        experiment: a key of `EXPERIMENTS`.
        size, seed: what it was run with.
        data: the names of the datasets it was trained and tested on.
        trained_on: number of training images, the validation part included.
        tested_on: metric -> the number of images it was measured on.
        metrics: metric -> accuracy in [0, 1].
        curves: ``train_loss``, ``val_loss`` and ``val_accuracy``, one number for each epoch.
        arrays: what figures are drawn from, see `measurement`.
        duration_s: how long training and measuring took, seconds.
    """

    experiment: str
    size: Size
    seed: int
    data: tuple[str, ...]
    trained_on: int
    tested_on: dict[str, int]
    metrics: dict[str, float]
    curves: dict[str, np.ndarray]
    arrays: dict[str, np.ndarray]
    duration_s: float

    @property
    def row(self) -> Experiment:
        """What the registry says about it."""
        return EXPERIMENTS[self.experiment]

    @property
    def title(self) -> str:
        """What figures call it."""
        return self.row.title.en + (f", seed {self.seed}" if self.seed else "")

    @property
    def origin(self) -> str:
        """What it was made with, in a line."""
        start = self.row.start.get(self.size.profile)
        begun = f"begun with the weights of {start}; " if start else ""
        return (
            f"{begun}{' -> '.join(self.data)}; {self.trained_on:,} training images, "
            f"{len(self.curves['train_loss'])} epochs, profile {self.size.profile}, seed {self.seed}, "
            f"{self.duration_s:.0f} s"
        )


def run(experiment: str, *, seed: int = 0) -> Run:
    """Trains and measures a row with the stubs of this folder, or remembers what that gave.

    Args:
        experiment: a key of `EXPERIMENTS`.
        seed: of every draw in training and measuring.

    Raises:
        CannotRun: a stub that it needs is not written yet, a file has changed since this kernel read it, or images
            or published weights are not on this machine.
        training.TrainingFailed: what a stub gave cannot be trained with.
    """
    row, size = EXPERIMENTS[experiment], Size.wanted()
    require(*_needed(row, size))
    train, tests = _to_train_on(row, size), {role: images(role, "test") for role in row.test_roles}

    def make(report: Callable[[float], None]) -> dict[str, np.ndarray]:
        kept = _trained(experiment, size, seed, lambda done: report(0.7 * done))
        began = time.monotonic()
        measured = measurement.measure(
            experiment,
            size.profile,
            _with_weights(experiment, size, kept),
            train,
            tests,
            seed=seed,
            device=_device(),
            progress=lambda done: report(0.7 + 0.2 * done),
        )
        arrays = measurement.embed(measured.arrays)
        arrays.pop("umap_images", None)  # no figure here shows them, and they are most of the bytes
        report(1.0)
        curves = {name: value for name, value in kept.items() if name.startswith("curve_")}
        facts = {"metrics": measured.metrics, "duration_s": time.monotonic() - began + float(kept["duration_s"])}
        return arrays | curves | {"facts": np.array(json.dumps(facts))}

    name = _name(experiment, size, seed)
    key = _key(_training_key(row, size, seed), *_sources({"attacks"} if row.question == "Q2" else set()))
    stored = _remembered(RESULTS / f"{name}.npz", key, f"{experiment}, seed {seed}", make)
    facts = json.loads(str(stored.pop("facts")))
    curves = {name: stored.pop(f"curve_{name}") for name in ("train_loss", "val_loss", "val_accuracy")}
    tested_on = {metric: len(tests[_role(row, metric)]) for metric in facts["metrics"]}
    if "pgd_8" in tested_on:
        tested_on["pgd_8"] = min(tested_on["pgd_8"], PROFILES[size.profile].pgd or tested_on["pgd_8"])
    return Run(
        experiment=experiment,
        size=size,
        seed=seed,
        data=tuple(dict.fromkeys([train.name, *(test.name for test in tests.values())])),
        trained_on=len(train),
        tested_on=tested_on,
        metrics=facts["metrics"],
        curves=curves,
        arrays=stored,
        duration_s=facts["duration_s"],
    )


def images(role: str, split: str) -> Images:
    """The images that runs are tested on, or (``split="train"``) as many training images of that role."""
    size = Size.wanted()
    return _load(role, split, size.data, _least(PROFILES[size.profile].test, size.images))


def model(run: Run) -> nn.Module:
    """The trained model of a run, in eval mode on the CPU; takes images in [-1, 1] (see `training.normalise`)."""
    kept = _trained(run.experiment, run.size, run.seed, lambda done: None)
    return _with_weights(run.experiment, run.size, kept).eval().requires_grad_(False)


def first_weights(run: Run) -> dict[str, Tensor]:
    """The weights that a run with a ``start`` began with, by name; without the classifier where that was random."""
    first = _first(run.row, run.size, run.seed)
    if first is None:
        raise ValueError(f"{run.experiment} began with random weights")
    return first


def probabilities(run: Run, images: Images, *, statistics: Images | None = None) -> np.ndarray:
    """What a run's model believes about images: the softmax of its logits (N, K), float32.

    Args:
        run: one with a classifier; that of `CircleLoss` has none.
        images: any images.
        statistics: if given, the batch normalisation's running averages are first made anew from these images.
    """
    given = [hashlib.sha256(part.pixels.tobytes()).hexdigest() for part in (images, statistics) if part is not None]
    key = _key(_training_key(run.row, run.size, run.seed), *given)

    @torch.no_grad()
    def make(report: Callable[[float], None]) -> dict[str, np.ndarray]:
        device = _device()
        with training.reproducible(run.seed):
            network = model(run).to(device)
            if statistics is not None:
                for layer in network.modules():
                    if isinstance(layer, nn.BatchNorm2d):
                        layer.reset_running_stats()
                        layer.momentum = None  # a plain average over all batches
                network.train()
                for part in torch.split(torch.from_numpy(np.array(statistics.pixels)), training.CHUNK):
                    training.logits(network, training.to_float(part.to(device)))
                network.eval()
            parts = torch.split(torch.from_numpy(np.array(images.pixels)), training.CHUNK)
            found = [training.logits(network, training.to_float(part.to(device))).softmax(1) for part in parts]
        return {"probabilities": torch.cat(found).cpu().numpy()}

    name = f"{_name(run.experiment, run.size, run.seed)}-{_key(*given)[:10]}"
    return _remembered(RESULTS / f"{name}.npz", key, "", make)["probabilities"]


def accuracy(run: Run, images: Images, *, statistics: Images | None = None) -> float:
    """Part of the images that a run's model classifies right; see `probabilities`."""
    return float((probabilities(run, images, statistics=statistics).argmax(1) == images.labels).mean())


# --- what is trained ----------------------------------------------------------------------------------------


def _role(row: Experiment, metric: str) -> str:
    """The role whose test images a metric is measured on."""
    return metric.removesuffix("_test") if row.question == "Q1" else row.train_role


def _least(*counts: int | None) -> int | None:
    return min((count for count in counts if count is not None), default=None)


@functools.lru_cache(maxsize=8)
def _load(role: str, split: str, data: Path | None, count: int | None) -> Images:
    try:
        return datasets.load(role, split, data, count=count)
    except datasets.DataMissing as problem:
        raise CannotRun(str(problem), "تصویرهای این بخش در پوشهٔ HW1_DATA پیدا نشد.") from problem


def _to_train_on(row: Experiment, size: Size) -> Images:
    count = _least(row.images, PROFILES[size.profile].train[row.question], size.images)
    return _load(row.train_role, "train", size.data, count)


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _name(experiment: str, size: Size, seed: int) -> str:
    few = f"-{size.images}" if size.images else ""
    real = "-real" if size.data else ""
    return f"{experiment}-{size.profile}{real}{few}-seed{seed}"


def _with_weights(experiment: str, size: Size, kept: Mapping[str, np.ndarray]) -> nn.Module:
    network = training.new_model(experiment, size.profile, PARTS)
    state = {name.removeprefix("state_"): value for name, value in kept.items() if name.startswith("state_")}
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return network


def _trained(experiment: str, size: Size, seed: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    """A row's weights ``state_*``, curves ``curve_*`` and ``duration_s``: remembered, or trained now."""
    row = EXPERIMENTS[experiment]

    def make(_: Callable[[float], None]) -> dict[str, np.ndarray]:
        first = _first(row, size, seed)
        began = time.monotonic()
        train = _to_train_on(row, size)
        done = training.train(
            experiment,
            size.profile,
            torch.from_numpy(np.array(train.pixels)),
            torch.from_numpy(np.array(train.labels)),
            PARTS,
            seed=seed,
            first=first,
            device=_device(),
            progress=report,
        )
        kept = {f"state_{name}": value.numpy() for name, value in done["state"].items()}
        kept |= {f"curve_{name}": np.array(values) for name, values in done["curves"].items()}
        return kept | {"duration_s": np.array(time.monotonic() - began)}

    path = RESULTS / "weights" / f"{_name(experiment, size, seed)}.npz"
    return _remembered(path, _training_key(row, size, seed), "", make)


def _first(row: Experiment, size: Size, seed: int) -> dict[str, Tensor] | None:
    """The weights that a row begins with, if not with random ones.

    Raises:
        CannotRun: they are published ones that are not on this machine.
    """
    start = row.start.get(size.profile)
    if start is None:
        return None
    if start in WEIGHTS:
        try:
            return weights.read(start, size.data, ResNet18)
        except weights.WeightsMissing as problem:
            file, place = WEIGHTS[start], weights.places(start, size.data)[0]
            raise CannotRun(
                f"{problem}: download {file.folder}{file.file} and put it at {place}.",
                f"پروندهٔ وزن‌ها در دسترس نیست: آن را از {file.folder}{file.file} بگیرید و در {place} بگذارید.",
            ) from problem
    with _Bar(f"{start}, which {row.id} begins with") as bar:
        kept = _trained(start, size, seed, bar.show)
    state = _with_weights(start, size, kept).state_dict()
    return {
        name: value
        for name, value in state.items()
        if row.keep_classifier or not name.startswith(training.CLASSIFIER)
    }


# --- what it needs ------------------------------------------------------------------------------------------


def _in_training(row: Experiment, size: Size) -> set[str]:
    """The stubs that take part in training a row, and in training what it begins with."""
    start = row.start.get(size.profile)
    before = _in_training(EXPERIMENTS[start], size) if start in EXPERIMENTS else set()
    return before | {row.model, *row.stubs}


def _needed(row: Experiment, size: Size) -> list[str]:
    """The stubs that take part in a row, in the order of the handout."""
    wanted = _in_training(row, size) | ({"fgsm_attack"} if row.question == "Q2" else set())
    return [name for name in _MODULES if name in wanted]


def require(*stubs: str) -> None:
    """Sees to it that stubs are written.

    Raises:
        CannotRun: one is not, or a file has changed since this kernel read it.
    """
    now = _read()
    imported = [name for name in _SOURCES if f"{__package__}.{name}" in sys.modules and name not in _NO_PART]
    changed = [name for name in imported if now.get(name) != _SOURCES[name]]
    if changed:
        files = ", ".join(f"{name}.py" for name in changed)
        raise CannotRun(
            f"{files} has changed since this notebook began: restart the kernel and run all cells.",
            f"پروندهٔ {files} پس از آغاز این دفترچه تغییر کرده است: هسته (kernel) را از نو راه بیندازید و همهٔ خانه‌ها "
            "را اجرا کنید.",
        )
    for name in stubs:
        try:
            _TRIALS[name]()
        except NotImplementedError as problem:
            module, word = _MODULES[name], _CHECKS[name]
            raise CannotRun(
                f"{name} is not written yet: write it in {module}.py, try it with pytest -k {word}, then restart the "
                "kernel and run all cells.",
                f"هنوز {name} را ننوشته‌اید: آن را در {module}.py بنویسید، با دستور pytest -k {word} بیازمایید، سپس "
                "هسته (kernel) را از نو راه بیندازید و همهٔ خانه‌ها را اجرا کنید.",
            ) from problem


def _read() -> dict[str, str]:
    """The Python files of this folder: module -> text."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}


_SOURCES = _read()
"""As they were when this kernel read them."""


@functools.lru_cache(maxsize=64)
def _sense(text: str) -> str:
    """A digest of Python code without its comments."""
    with suppress(SyntaxError):
        text = ast.unparse(ast.parse(text))
    return hashlib.sha256(text.encode()).hexdigest()


def _sources(modules: set[str]) -> list[str]:
    return [_sense(_SOURCES[name]) for name in sorted(modules)]


def _training_key(row: Experiment, size: Size, seed: int) -> str:
    """Tells apart whatever changes the weights: code, settings, images and seed."""
    start = row.start.get(size.profile)
    before = _training_key(EXPERIMENTS[start], size, seed) if start in EXPERIMENTS else str(start)
    used = {_MODULES[name] for name in _in_training(row, size)}
    modules = set(_SOURCES) - _NO_PART - (set(_MODULES.values()) - used)
    scale = PROFILES[size.profile]
    return _key(before, row, scale, size.data, size.images, seed, *_sources(modules - {"experiments"}))


def _key(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


# --- what is remembered -------------------------------------------------------------------------------------


def _remembered(
    path: Path, key: str, label: str, make: Callable[[Callable[[float], None]], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The arrays in ``path`` if they belong to ``key``; else what ``make`` gives, which is then kept there."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            if str(archive["key"]) == key:
                return {name: archive[name] for name in archive.files if name != "key"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # none yet, or not whole
        pass
    with _Bar(label) as bar:
        made = make(bar.show)
    with suppress(OSError):  # where nothing can be written, nothing is remembered
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            with unfinished.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, key=np.array(key), **made)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return made


class _Bar:
    """A progress bar in a notebook, taken away when done; none elsewhere, and none without a label."""

    def __init__(self, label: str) -> None:
        self.label, self.shown = label, -1.0
        self.handle: Any = None

    def __enter__(self) -> _Bar:
        if self.label and _in_notebook():
            from IPython.display import display

            self.handle = display(self._page(0), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *_: object) -> None:
        if self.handle is not None:
            self.handle.update({"text/html": "", "text/plain": ""}, raw=True)

    def show(self, done: float) -> None:
        """Shows the part ``done``, in [0, 1]."""
        if self.handle is not None and done - self.shown >= 0.01:
            self.shown = done
            self.handle.update(self._page(done), raw=True)

    def _page(self, done: float) -> dict[str, str]:
        text = f"{self.label}: {done:.0%}"
        return {"text/html": f'<progress max="100" value="{100 * done:.0f}"></progress> {text}', "text/plain": text}


def _in_notebook() -> bool:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    return get_ipython() is not None and hasattr(get_ipython(), "kernel")
