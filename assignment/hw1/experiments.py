"""The registry of experiments and profiles: what is trained on what, how, and what is measured of it. Data, no code.

`training.train` and `measurement.measure` read a row of `EXPERIMENTS` and a size from `PROFILES`. A new experiment
of the same kind is a new row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

EPSILON = 0.1
"""The attack of the homework: largest change of a pixel by FGSM, in pixel units."""

NOISE = 0.01
"""Standard deviation of the noise added to attacked images, in pixel units."""

EIGHT = 8 / 255
"""The strength usual in the literature, eight grey levels, in pixel units."""

METRICS = {
    "Q1": ("source_test", "target_test"),
    "Q2": ("clean", "fgsm", "fgsm_8", "pgd_8"),
}
"""Question -> the metrics of its experiments, all accuracies in [0, 1], in the order of the tables.

``source_test`` and ``target_test``: on test images of that role. ``clean``: on test images. ``fgsm``: on test images
under FGSM at `EPSILON`, then Gaussian noise of `NOISE`. ``fgsm_8`` and ``pgd_8``: under FGSM, and under projected
gradient descent, at `EIGHT`.
"""


class Words(NamedTuple):
    """One text in both languages."""

    en: str
    fa: str


class Weights(NamedTuple):
    """A file of published weights: what it was trained on, its name, where it lies, and the SHA-256 of its bytes."""

    data: str
    file: str
    folder: str
    sha256: str


WEIGHTS = {
    "imagenet": Weights(
        "ImageNet",
        "resnet18-f37072fd.pth",
        "https://download.pytorch.org/models/",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    )
}
"""Name -> published weights: torchvision's ``ResNet18_Weights.IMAGENET1K_V1``, of width 64 with 1,000 classes."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One row of the homework's tables.

    Attributes:
        id: key in `EXPERIMENTS`.
        title, protocol: for people.
        question: which question it belongs to, a key of `METRICS`.
        train_role: the role whose train split it is trained on (see `datasets.load`).
        test_roles: the roles whose test splits it is measured on, that of training first.
        stubs: the student's stubs that take part; the reference stands in for all others.
        judged: the metrics that decide about points.
        model: the stub that makes the model. Where it is one of ``stubs``, the student's side trains.
        model_options: its keyword arguments beside ``num_classes`` and ``width``.
        first_weights: "own" are those that the model makes itself, "residual" those of `training.residual_weights`:
            without normalisation layers its own ones let the signal die out, and it learns nothing for epochs.
        loss: what is minimised, and ``loss_options``, the keyword arguments of the loss.
        optimiser: "sgd" has momentum 0.9.
        lr: profile -> highest learning rate; it rises to it at first, and falls to zero along half a cosine.
        start: profile -> what the first weights are: those that another experiment ends with, by its id, or published
            ones, by their name in `WEIGHTS`; random ones where it says nothing.
        keep_classifier: begin with the last layer of ``start`` too, for its classes are the same.
        tuned: what of the model is trained; what is not stays as it was, statistics of the normalisation included.
        images: most images to train on, where that is less than the profile has.
        augmentation: small random affine maps of every training image.
        adversarial_probability: how often a training batch is replaced by itself under FGSM at `EPSILON`.
        early_stopping: end when the validation loss has not improved for `PATIENCE` epochs; keep the best weights.
        validation: part of the training images that is held out to draw the curves and to stop early.
        epochs: profile -> most passes over the training images.
        published: metric -> figure of the course's report, in [0, 1]; empty where it is not legible.
    """

    id: str
    title: Words
    protocol: Words
    question: Literal["Q1", "Q2"]
    train_role: str
    test_roles: tuple[str, ...]
    stubs: tuple[str, ...]
    judged: tuple[str, ...]
    model: str = "ResNet18"
    model_options: Mapping[str, bool] = field(default_factory=dict)
    first_weights: Literal["own", "residual"] = "own"
    loss: Literal["cross_entropy", "label_smoothing", "circle"] = "cross_entropy"
    loss_options: Mapping[str, float] = field(default_factory=dict)
    optimiser: Literal["sgd", "adam"] = "sgd"
    lr: Mapping[str, float]
    start: Mapping[str, str] = field(default_factory=dict)
    keep_classifier: bool = False
    tuned: Literal["all", "classifier"] = "all"
    images: int | None = None
    augmentation: bool = False
    adversarial_probability: float = 0.0
    early_stopping: bool = False
    validation: float = 0.1
    epochs: Mapping[str, int]
    published: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How large experiments are.

    Attributes:
        id: key in `PROFILES`, and in ``lr`` and ``epochs`` of an `Experiment`.
        width: channels of the model's first stage.
        batch_size: images in a training batch.
        train: question -> how many images to train on, the validation part included; None for all. With those to
            test on, question 2 has 64 % of its images to fit, 16 % to validate and 20 % to test.
        test: how many images to test on; None for all.
        pgd: on how many of the test images projected gradient descent is measured; None for all.
        embedded: how many images of each group go into the UMAP figures.
        time_limit_s: the most that a training may take, seconds.
    """

    id: str
    width: int
    batch_size: int
    train: Mapping[str, int | None]
    test: int | None
    pgd: int | None
    embedded: int
    time_limit_s: float


PATIENCE = 3
"""Epochs without a better validation loss that early stopping waits."""

PROFILES = {
    profile.id: profile
    for profile in (
        Profile(
            id="quick",
            width=16,
            batch_size=32,
            train={"Q1": 4800, "Q2": 8000},
            test=2000,
            pgd=200,
            embedded=300,
            time_limit_s=600,
        ),
        Profile(
            id="full",
            width=64,
            batch_size=128,
            train={"Q1": None, "Q2": 40_000},
            test=None,
            pgd=1000,
            embedded=1000,
            time_limit_s=6 * 3600,
        ),
    )
}
"""Profile id -> profile: quick for a laptop, full for one GPU."""

_BASE = Experiment(
    id="base",
    title=Words("Baseline", "مدل پایه"),
    protocol=Words(
        "Trained on street digits with cross-entropy and SGD; tested on street digits and on handwritten ones.",
        "آموزش روی رقم‌های خیابانی با آنتروپی متقاطع و SGD؛ آزمون روی رقم‌های خیابانی و رقم‌های دست‌نویس.",
    ),
    question="Q1",
    train_role="source",
    test_roles=("source", "target"),
    stubs=("ResNet18",),
    judged=("source_test",),
    lr={"quick": 0.005, "full": 0.02},
    epochs={"quick": 6, "full": 10},
    published={"source_test": 0.92, "target_test": 0.64},
)

_REVERSE = replace(
    _BASE,
    id="reverse",
    title=Words("The other way round", "جهت وارونه"),
    protocol=Words(
        "Trained on handwritten digits with augmentation, otherwise as the baseline; tested on handwritten digits "
        "and on street digits.",
        "آموزش روی رقم‌های دست‌نویس با داده‌افزایی و در بقیهٔ موارد مانند مدل پایه؛ آزمون روی رقم‌های دست‌نویس و "
        "رقم‌های خیابانی.",
    ),
    train_role="target",
    test_roles=("target", "source"),
    judged=("target_test",),
    augmentation=True,
    published={"target_test": 0.9186, "source_test": 0.1189},
)

_STANDARD = Experiment(
    id="standard",
    title=Words("Standard training (part A)", "آموزش معمولی (بخش الف)"),
    protocol=Words(
        "Trained on objects with cross-entropy and Adam, stopping early; tested on clean and on attacked images.",
        "آموزش روی اشیا با آنتروپی متقاطع و Adam، با توقف زودهنگام؛ آزمون روی تصویرهای سالم و تصویرهای مورد حمله.",
    ),
    question="Q2",
    train_role="objects",
    test_roles=("objects",),
    stubs=("ResNet18",),
    judged=("clean",),
    optimiser="adam",
    lr={"quick": 3e-3, "full": 1e-3},
    early_stopping=True,
    validation=0.2,
    epochs={"quick": 4, "full": 16},
    published={"clean": 0.6991, "fgsm": 0.4841},
)

_ROWS = (
    _BASE,
    replace(
        _BASE,
        id="no_batch_norm",
        title=Words("Without batch normalisation", "بدون نرمال‌سازی دسته‌ای"),
        protocol=Words(
            "As the baseline, without normalisation layers.", "مانند مدل پایه، بدون لایه‌های نرمال‌سازی دسته‌ای."
        ),
        model_options={"batch_norm": False},
        first_weights="residual",
        lr={"quick": 0.02, "full": 0.02},
        published={"source_test": 0.9138, "target_test": 0.6896},
    ),
    replace(
        _BASE,
        id="label_smoothing",
        title=Words("Label smoothing", "هموارسازی برچسب"),
        protocol=Words(
            "As the baseline, with the student's label-smoothing loss (epsilon 0.25).",
            "مانند مدل پایه، با تابع هزینهٔ هموارسازی برچسب دانشجو (اپسیلون ۰٫۲۵).",
        ),
        stubs=("LabelSmoothingCrossEntropy",),
        loss="label_smoothing",
        loss_options={"epsilon": 0.25},
        published={"source_test": 0.92, "target_test": 0.70},
    ),
    replace(
        _BASE,
        id="augmentation",
        title=Words("Augmentation", "داده‌افزایی"),
        protocol=Words(
            "As the baseline, with random rotation (5 degrees), shift (5 %) and scaling (0.95 to 1.05).",
            "مانند مدل پایه، با چرخش (۵ درجه)، جابه‌جایی (۵٪) و تغییر اندازهٔ (۰٫۹۵ تا ۱٫۰۵) تصادفی.",
        ),
        augmentation=True,
        published={"source_test": 0.93, "target_test": 0.72},
    ),
    replace(
        _BASE,
        id="pretrained",
        title=Words("Pretrained", "پیش‌آموخته"),
        protocol=Words(
            "As the baseline, but fine-tuned from other weights: those of ImageNet in the full profile, and in the "
            "quick one those that part A reaches on the objects.",
            "مانند مدل پایه، اما با تنظیم دقیق از وزن‌هایی دیگر: در اجرای کامل وزن‌های ImageNet و در اجرای سریع "
            "وزن‌هایی که بخش الف روی اشیا به آن‌ها می‌رسد.",
        ),
        start={"quick": "standard", "full": "imagenet"},
        published={"source_test": 0.9586, "target_test": 0.7530},
    ),
    replace(
        _BASE,
        id="adam",
        title=Words("Adam", "بهینه‌ساز Adam"),
        protocol=Words("As the baseline, with Adam.", "مانند مدل پایه، با بهینه‌ساز Adam."),
        optimiser="adam",
        lr={"quick": 3e-3, "full": 1e-3},
        published={"source_test": 0.92},
    ),
    _REVERSE,
    replace(
        _REVERSE,
        id="reverse_finetuned",
        title=Words("The other way round, fine-tuned", "جهت وارونه با تنظیم دقیق"),
        protocol=Words(
            "The model trained on handwritten digits, its last layer then tuned on 1,000 street digits and all "
            "others left as they were.",
            "مدلی که روی رقم‌های دست‌نویس آموزش دیده و سپس تنها لایهٔ آخرش با ۱۰۰۰ رقم خیابانی تنظیم شده است.",
        ),
        train_role="source",
        test_roles=("source", "target"),
        judged=("source_test",),
        start={"quick": "reverse", "full": "reverse"},
        keep_classifier=True,
        tuned="classifier",
        images=1000,
        augmentation=False,
        lr={"quick": 0.02, "full": 0.02},
        published={"target_test": 0.6909, "source_test": 0.2842},
    ),
    _STANDARD,
    replace(
        _STANDARD,
        id="adversarial",
        title=Words("Adversarial training (part B)", "آموزش خصمانه (بخش ب)"),
        protocol=Words(
            "As part A, with every second batch, by chance, perturbed by the student's fgsm_attack.",
            "مانند بخش الف، با این تفاوت که هر دسته با احتمال یک‌دوم با fgsm_attack دانشجو دستکاری می‌شود.",
        ),
        stubs=("fgsm_attack",),
        judged=("clean", "fgsm"),
        adversarial_probability=0.5,
        epochs={"quick": 6, "full": 16},
        published={"clean": 0.8236, "fgsm": 0.5223},
    ),
    replace(
        _STANDARD,
        id="circle",
        title=Words("Circle loss (part C)", "تابع هزینهٔ Circle (بخش ج)"),
        protocol=Words(
            "Features trained on objects with the student's Circle loss and Adam, then 5 nearest neighbours; "
            "attacked through a linear layer on the features.",
            "آموزش ویژگی‌ها روی اشیا با تابع Circle دانشجو و Adam و سپس ۵ نزدیک‌ترین همسایه؛ "
            "حمله از راه یک لایهٔ خطی روی ویژگی‌ها.",
        ),
        stubs=("CircleLoss", "convert_label_to_similarity"),
        loss="circle",
        loss_options={"m": 0.25, "gamma": 4.0},
        early_stopping=False,
        epochs={"quick": 3, "full": 25},
        published={"clean": 0.7764, "fgsm": 0.5224},
    ),
)

EXPERIMENTS = {row.id: row for row in _ROWS}
"""Experiment id -> experiment, in the order of the course's report."""
