"""A realistic Result with its figures' arrays, for the tests of the report and for looking at it.

``python tests/sample_result.py FOLDER [IMAGES]`` writes one, with so many images in each group of its maps (300). The
numbers are drawn from a seed and shaped like those of real runs; nothing is trained.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "solutions")]

from hw1.experiments import EXPERIMENTS  # noqa: E402

from autograder.assignment import load  # noqa: E402
from autograder.results import (  # noqa: E402
    Answer,
    Criterion,
    Diagnosis,
    Experiment,
    Isolation,
    Result,
    Skipped,
    Student,
    Submission,
    Text,
    write_result,
)

OBJECTS = "objects10"
SEED = 20261123


def curves(epochs: int, seed: int) -> dict[str, Any]:
    """Losses that fall and an accuracy that rises, float64 (epochs,) each."""
    draw = np.random.default_rng(seed)
    time = np.arange(1, epochs + 1)
    return {
        "curve_train_loss": 2.1 * np.exp(-0.35 * time) + 0.08 + draw.normal(0, 0.01, epochs),
        "curve_val_loss": 1.9 * np.exp(-0.30 * time) + 0.22 + draw.normal(0, 0.02, epochs),
        "curve_val_accuracy": np.clip(0.95 - 0.7 * np.exp(-0.4 * time) + draw.normal(0, 0.008, epochs), 0, 1),
    }


def embedding(seed: int, question: str, per_group: int = 300) -> dict[str, Any]:
    """Ten clusters of three groups, of which the third is blurred; the images of a question are the same ones."""
    draw = np.random.default_rng(seed)
    shared = np.random.default_rng(ord(question[-1]))
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    centres = np.stack([7 * np.cos(angle), 5 * np.sin(angle)], axis=1) + draw.normal(0, 1, (10, 2))
    label = shared.integers(0, 10, 3 * per_group)
    group = np.repeat([0, 1, 2], per_group)
    if question == "Q2":
        label[group == 2] = label[group == 1]
    spread = np.where(group == 2, 2.2, 0.7)[:, None]
    images = thumbnails(label, shared)
    predicted = np.where(
        draw.random(len(label)) < np.where(group == 2, 0.45, 0.9), label, draw.integers(0, 10, len(label))
    )
    if question == "Q2":
        images[group == 2] = np.clip(
            images[group == 1].astype(int) + 26 * draw.choice([-1, 1], images[group == 1].shape), 0, 255
        )
    return {
        "umap_xy": (centres[label] + draw.normal(0, 1, (3 * per_group, 2)) * spread).astype(np.float32),
        "umap_label": label.astype(np.int64),
        "umap_group": group.astype(np.uint8),
        "umap_pred": predicted.astype(np.int16),
        "umap_images": images,
        "umap_trustworthiness": np.float64(0.9431),
        "umap_knn": np.float64(0.8125),
        "umap_seed": np.int64(SEED),
        "umap_neighbors": np.int64(15),
        "umap_min_dist": np.float64(0.1),
    }


def thumbnails(label: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A picture for each class, uint8 (M, 3, 32, 32): a disc as large as its number on a ground of its own."""
    row, column = np.mgrid[0:32, 0:32]
    ground, colour = draw.uniform(40, 215, (2, len(label), 3, 1, 1))
    y, x = draw.uniform(12, 20, (2, len(label), 1, 1, 1))
    inside = np.hypot(row - y, column - x) < 3 + label[:, None, None, None]
    made: np.ndarray = (np.where(inside, colour, ground) + draw.normal(0, 4, (len(label), 3, 32, 32))).clip(0, 255)
    return made.astype(np.uint8)


def attacked(seed: int) -> dict[str, Any]:
    """Eight coloured discs and squares, before and after a step of random signs, and a curve that falls with eps."""
    draw = np.random.default_rng(seed)
    row, column = np.mgrid[0:32, 0:32]
    clean = np.empty((8, 3, 32, 32))
    for index in range(8):
        ground, colour = draw.uniform(60, 200, (2, 3, 1, 1))
        y, x, radius = draw.uniform(11, 20, 3) * (1, 1, 0.5)
        distance = np.hypot(row - y, column - x) if index % 2 else np.maximum(abs(row - y), abs(column - x))
        clean[index] = np.where(distance < radius, colour, ground) + draw.normal(0, 4, (3, 32, 32))
    step = 25.5 * draw.choice([-1, 1], clean.shape)
    true = draw.integers(0, 10, 8)
    return {
        "grid_clean": clean.clip(0, 255).astype(np.uint8),
        "grid_adversarial": (clean + step).clip(0, 255).astype(np.uint8),
        "grid_true": true,
        "grid_clean_pred": np.where(np.arange(8) == 5, (true + 1) % 10, true),
        "grid_adversarial_pred": (true + draw.integers(0, 4, 8)) % 10,
        "robust_eps": np.array([0, 1, 2, 4, 8, 12, 16, 25.5]) / 255,
        "robust_accuracy": np.array([0.874, 0.71, 0.52, 0.28, 0.093, 0.051, 0.034, 0.021]),
    }


def criteria() -> list[Criterion]:
    """Passed, failed, dead, hung, bonus and manual ones."""

    def unit(stub: str, name: str, points: float, maximum: float, en: str, fa: str, **more: Any) -> Criterion:
        status = more.pop("status", "passed" if points == maximum else "failed")
        kind = more.pop("kind", "unit")
        return Criterion(
            id=name,
            stub=stub,
            kind=kind,
            status=status,
            points=points,
            max_points=maximum,
            title=Text(en=en, fa=fa),
            **more,
        )

    return [
        unit(
            "ResNet18",
            "resnet.layout",
            4,
            4,
            "Layers, names and shapes are torchvision's; its weights load strictly",
            "لایه‌ها، نام‌ها و ابعاد همان torchvision است و وزن‌هایش دقیقاً بار می‌شود",
        ),
        unit(
            "ResNet18",
            "resnet.logits",
            6,
            6,
            "Logits for given weights, on images of several sizes",
            "لاجیت‌ها با وزن‌های داده‌شده، روی تصویرهایی با چند اندازه",
        ),
        unit(
            "ResNet18",
            "resnet.features",
            0,
            3,
            "features() returns the pooled features (N, 8*width)",
            "‏features()‎ ویژگی‌های پس از pooling را با ابعاد (N, 8*width) برمی‌گرداند",
            message=Text(
                en="features(x) returned (4, 128, 1, 1) where (4, 128) was expected. "
                "Flatten after the global average pool: torch.flatten(x, 1).",
                fa="خروجی features(x) ابعاد (4, 128, 1, 1) داشت، ولی (4, 128) انتظار می‌رفت. "
                "پس از میانگین‌گیری سراسری آن را تخت کنید: torch.flatten(x, 1).",
            ),
        ),
        unit(
            "LabelSmoothingCrossEntropy",
            "smoothing.value",
            4,
            4,
            "Value of the loss at epsilon 0.25",
            "مقدار تابع هزینه با اپسیلون ۰٫۲۵",
        ),
        unit(
            "LabelSmoothingCrossEntropy",
            "smoothing.stability",
            1,
            2,
            "Finite and exact for very large logits; inputs untouched",
            "متناهی و دقیق برای لاجیت‌های بسیار بزرگ؛ ورودی‌ها دست‌نخورده می‌مانند",
            message=Text(
                en="With logits of 1e4 the loss is nan. Use log_softmax instead of log(softmax(x)).",
                fa="با لاجیت‌هایی به بزرگی 1e4 مقدار تابع هزینه nan می‌شود. "
                "به‌جای log(softmax(x)) از log_softmax استفاده کنید.",
            ),
        ),
        unit(
            "CircleLoss",
            "circle.value",
            0,
            5,
            "Value of the loss for several m and gamma",
            "مقدار تابع هزینه برای چند m و gamma",
            status="error",
            message=Text(
                en="CircleLoss(m=0.25, gamma=64) raised TypeError: unsupported operand <b>x</b> & 'NoneType'.",
                fa="‏CircleLoss(m=0.25, gamma=64) با خطای TypeError متوقف شد: "
                "unsupported operand <b>x</b> & 'NoneType'.",
            ),
        ),
        unit(
            "CircleLoss",
            "circle.stability",
            0,
            3,
            "Exact and finite for large gamma",
            "دقیق و متناهی برای gammaی بزرگ",
            status="timeout",
            message=Text(
                en="No answer within 10 s. Look for a loop over pairs; the whole loss is a few tensor operations.",
                fa="در ۱۰ ثانیه پاسخی نیامد. آیا حلقه‌ای روی جفت‌ها نوشته‌اید؟ کل محاسبه چند عمل تنسوری بیشتر نیست.",
            ),
        ),
        unit(
            "fgsm_attack",
            "fgsm.step",
            4,
            4,
            "A step of epsilon along the gradient's sign, for any epsilon",
            "گامی به اندازهٔ اپسیلون در جهت علامت گرادیان، برای هر اپسیلون",
        ),
        unit("fgsm_attack", "fgsm.range", 3, 3, "The result stays in [0, 1]", "نتیجه در بازهٔ [۰، ۱] می‌ماند"),
        unit(
            "pgd_attack",
            "pgd.steps",
            2,
            3,
            "Bonus: the images after one and after many steps",
            "امتیاز تشویقی: تصویرها پس از یک گام و پس از چند گام",
            bonus=True,
            status="failed",
        ),
        unit(
            "ResNet18",
            "experiment.base",
            4,
            4,
            "Trained on street digits, your ResNet18 reaches the threshold",
            "‏ResNet18 شما پس از آموزش روی رقم‌های خیابانی به آستانه می‌رسد",
            kind="experiment",
        ),
        unit(
            "CircleLoss",
            "experiment.circle",
            0,
            4,
            "Trained with your Circle loss (part C), the reference's features reach the threshold",
            "ویژگی‌های مدل مرجع با تابع Circle شما (بخش ج) به آستانه می‌رسند",
            kind="experiment",
            message=Text(
                en="Clean accuracy 41.2% is below the threshold of 55.0%.",
                fa="دقت روی تصویرهای سالم ۴۱٫۲٪ است که از آستانهٔ ۵۵٫۰٪ کمتر است.",
            ),
        ),
        *written(),
    ]


PERSIAN_ANSWER = """\
شبکه بیش از هر چیز به *شکل* خط‌ها وابسته است. از میله‌ها:

- حذف رنگ: افت ۱٫۲ واحد درصد
- درشت کردن: افت ۷٫۸ واحد درصد (با resize به 8x8 و بازگشت به 32x32)

تغییر خودم چرخاندن ۱۵ درجه بود که در تابع zoom(x, angle=15) نوشتم:

```python
def zoom(x, angle):  # x: (N, 3, 32, 32) in [0, 1]
    return rotate(x, angle).clamp(0, 1)
```

اگر L(x + d) ≈ L(x) + d·g باشد، تغییری که دقت را بالا نمی‌برد چیزی را رد نمی‌کند.
"""
ENGLISH_ANSWER = """\
**48 %** under a correct attack with eps = 0.1 is not possible for an undefended network: mine has 2.1 %.

1. The attack of the last bar clamps images that were normalised to [-1, 1]; the clamp alone costs 31 points.
2. Random signs change next to nothing.

I would check that accuracy at eps = 0 equals the clean accuracy, that it falls with eps, and that PGD is at least
as strong as FGSM. به فارسی: حملهٔ درست باید با بزرگ‌تر شدن eps قوی‌تر شود.
"""


def written() -> list[Criterion]:
    """Questions with an answer, without one, with none to be read; awaiting a human, and with full, some, no points.

    What is asked, and what earns the points, is the homework's.
    """
    assignment = load()
    titles = {line.id: line.title for line in assignment.lines}
    answer = Answer(state="answered", text=PERSIAN_ANSWER.strip())
    unread = Answer(
        state="unread",
        note=Text(
            en="There is no answer to be read: q1_e_pretrained.ipynb has no cell q1_transfer.",
            fa="پاسخی برای خواندن نیست: q1_e_pretrained.ipynb خانه‌ای به نام q1_transfer ندارد.",
        ),
    )
    english = Answer(state="answered", text=ENGLISH_ANSWER.strip())
    many = Answer(state="answered", text="eps\n\n⁂\n\n" + "eps · ‖g‖₁", left_out=1234)
    many.note = Text(
        en="The notebook has more than one cell q2_clean_and_attacked; what stands in each of them is shown.",
        fa="دفترچه بیش از یک خانه به نام q2_clean_and_attacked دارد؛ نوشتهٔ همهٔ آن‌ها نشان داده می‌شود.",
    )
    awaits = Text(en="Marked by a human; the points are open until then.", fa="نمرهٔ آن را انسان می‌دهد.")
    rows: list[tuple[str, float, float | None, str, Answer]] = [
        ("written.q1_domain_gap", 4, None, "", answer),
        ("written.q1_seeds", 3, None, "", Answer(state="unanswered")),
        ("written.q1_transfer", 3, None, "", unread),
        ("written.q2_doubtful_figure", 5, 5, "", english),
        ("written.q2_clean_and_attacked", 3, 2.5, COMMENT, many),
        ("written.q2_circle_gradient", 2, 0, "Empty: nothing to give points for.", Answer(state="unanswered")),
    ]
    made = []
    for name, maximum, points, comment, given in rows:
        made.append(
            Criterion(
                id=name,
                stub="",
                kind="manual",
                status="pending" if points is None else "passed" if points == maximum else "failed",
                points=points or 0,
                max_points=maximum,
                title=titles[name],
                message=Text(en=comment, fa=comment) if points is not None else awaits,
                written=assignment.questions[name].answered(given),
            )
        )
    return made


COMMENT = "فرمول درست است، ولی گفته نشده که جمع eps·|g_i| با بُعد n رشد می‌کند."


MEASURED: dict[str, dict[str, float]] = {
    "base": {"source_test": 0.9312, "target_test": 0.5478},
    "no_batch_norm": {"source_test": 0.9187, "target_test": 0.5601},
    "label_smoothing": {"source_test": 0.9401, "target_test": 0.6123},
    "augmentation": {"source_test": 0.9467, "target_test": 0.6489},
    "adam": {"source_test": 0.9295, "target_test": 0.5214},
    "reverse": {"target_test": 0.9731, "source_test": 0.1189},
    "reverse_finetuned": {"source_test": 0.3042, "target_test": 0.7102},
    "standard": {"clean": 0.874, "fgsm": 0.021, "fgsm_8": 0.093, "pgd_8": 0.008},
    "adversarial": {"clean": 0.8236, "fgsm": 0.6142, "fgsm_8": 0.701, "pgd_8": 0.582},
    "circle": {"clean": 0.412, "fgsm": 0.052, "fgsm_8": 0.101},
}
"""What the experiments that ran measured; the pretrained one did not."""

THRESHOLDS: dict[str, dict[str, float]] = {
    "base": {"source_test": 0.85},
    "label_smoothing": {"source_test": 0.86, "target_test": 0.48},
    "standard": {"clean": 0.80},
    "circle": {"clean": 0.55},
}
REFERENCE: dict[str, dict[str, float]] = {
    "base": {"source_test": 0.941, "target_test": 0.5601},
    "label_smoothing": {"source_test": 0.9399, "target_test": 0.6123},
    "standard": {"clean": 0.881, "fgsm": 0.019, "fgsm_8": 0.088, "pgd_8": 0.006},
    "circle": {"clean": 0.803, "fgsm": 0.11, "fgsm_8": 0.201},
}
EPOCHS = {"standard": 16, "adversarial": 14, "circle": 25}


def experiments() -> list[Experiment]:
    """All rows of the homework, a missed threshold among them, and one that was not run."""
    made = []
    for number, row in enumerate(EXPERIMENTS.values()):
        ran = row.id in MEASURED
        digits = "sklearn_digits -> synth_digits" if "reverse" in row.id else "synth_digits -> sklearn_digits"
        made.append(
            Experiment(
                id=row.id,
                question=row.question,
                title=Text(en=row.title.en, fa=row.title.fa),
                protocol=Text(en=row.protocol.en, fa=row.protocol.fa),
                data=digits if row.question == "Q1" else OBJECTS,
                status="run" if ran else "not_run",
                note=Text()
                if ran
                else Text(
                    en="The weights it begins with are not here; python -m autograder data fetch imagenet gets them.",
                    fa="وزن‌های آغازین اینجا نیستند؛ با python -m autograder data fetch imagenet بیاوریدشان.",
                ),
                metrics=MEASURED.get(row.id, {}),
                thresholds=THRESHOLDS.get(row.id, {}),
                reference=REFERENCE.get(row.id, {}),
                published=dict(row.published),
                seed=SEED if ran else 0,
                epochs=EPOCHS.get(row.id, 10) if ran else 0,
                duration_s=24.7 + 12 * number if ran else 0,
                arrays=f"figures/{row.id}.npz" if ran else "",
            )
        )
    return made


def sample() -> Result:
    """The whole Result; scores are those of its criteria."""
    lines = criteria()
    begun = datetime(2026, 11, 23, 14, 5, 12, tzinfo=timezone(timedelta(hours=3, minutes=30)))
    return Result(
        kit_version="0.1.0",
        assignment="hw1",
        profile="quick",
        student=Student(name="سارا رضایی", number="401123456"),
        submission=Submission(path="/home/ta/hand-ins/401123456 sara_rezaei (final).zip", sha256="9f2c" * 16),
        score=sum(line.points for line in lines if not line.bonus),
        max_score=sum(line.max_points for line in lines if not line.bonus),
        pending=10,
        seed=SEED,
        criteria=lines,
        diagnoses=[
            Diagnosis(
                stub="CircleLoss",
                misconception="weights_not_detached",
                text=Text(
                    en="Your weights carry a gradient of their own: detach them.",
                    fa="وزن‌های شما خود گرادیان دارند: آن‌ها را با detach() جدا کنید.",
                ),
            )
        ],
        experiments=experiments(),
        skipped=[
            Skipped(
                id="resnet.options",
                title=Text(en="A criterion that was not judged", fa="معیاری که داوری نشد"),
                reason=Text(en="Only a part was graded.", fa="فقط بخشی از کار تصحیح شد."),
            )
        ],
        isolation=Isolation(
            level="strong", features=["user namespace", "network namespace", "Landlock ABI 7", "rlimits"]
        ),
        environment={
            "python": "3.11.9",
            "torch": "2.13.0+cpu",
            "device": "cpu",
            "platform": "Linux-6.8-x86_64",
        },
        started=begun,
        finished=begun + timedelta(minutes=7, seconds=41),
    )


GIVEN = ("سارا", "علی", "مریم", "Reza", "نگار", "Anna", "حسین", "Łukasz")
FAMILY = ("رضایی", "کریمی", "موسوی‌نژاد", "Smith", "یوسفی", "de la Cruz", "ابراهیم‌پور", "قاسمی")


def variant(number: int) -> Result:
    """The sample as hand-in ``number`` of a class: another student, other verdicts, now and then a diagnosis."""
    draw = np.random.default_rng(number)
    skill = draw.beta(4, 2)
    result = sample()
    for line in result.criteria:
        if line.kind != "manual":
            passed = draw.random() < skill
            line.points = line.max_points if passed else 0.0
            line.status = "passed" if passed else "failed"
    result.student = Student(
        name=f"{GIVEN[number % 8]} {FAMILY[number // 8 % 8]}", number=str(401100000 + 37 * number % 1000)
    )
    result.score = sum(line.points for line in result.criteria if not line.bonus)
    detached = result.diagnoses[0]
    eager = Diagnosis(
        stub="fgsm_attack",
        misconception="no_clamp",
        text=Text(
            en="The image leaves [0, 1]: clamp it after the step.",
            fa="تصویر از بازهٔ [0, 1] بیرون می‌رود: پس از گام آن را با clamp محدود کنید.",
        ),
    )
    result.diagnoses = [each for each, odds in ((detached, 0.2), (eager, 0.35)) if draw.random() < odds]
    return result


def write_class(folder: Path, count: int) -> Path:
    """Writes the results of a class of ``count``, without arrays, and its summary, into ``folder``, which it returns.

    The summary names one hand-in more, which could not be taken.
    """
    rows = ["hand_in,problem"]
    for number in range(count):
        result = variant(number)
        name = f"{result.student.number} hw1 #{number}"
        write_result(result, folder / name)
        (folder / name / "report.html").write_text("<!DOCTYPE html><title>A report</title>", encoding="utf-8")
        rows.append(f"{name},")
    rows.append("broken.zip,broken.zip: neither a folder nor a .zip or .tar.gz archive")
    (folder / "summary.csv").write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    return folder


HOSTILE = (
    "<script>window.done = 1</script>\"'><img src=x onerror='window.done = 2'>&amp;{{ 7*7 }}%(x)s"
    '" onfocus="window.done = 3" javascript:window.done=4 </script><!--'
)
"""What a stranger may write wherever words are taken."""


def hostile_sample() -> Result:
    """The sample with a stranger's words in every place that takes words."""
    result = sample()
    result.assignment = result.kit_version = result.submission.path = result.submission.sha256 = HOSTILE
    result.student = Student(name=HOSTILE, number=HOSTILE)
    result.environment, result.faults = {HOSTILE: HOSTILE}, [HOSTILE]
    result.skipped = [Skipped(id=HOSTILE, title=Text(en=HOSTILE, fa=f"متن {HOSTILE}"), reason=Text(en=HOSTILE))]
    result.isolation = Isolation(level=HOSTILE, features=[HOSTILE])
    words = Text(en=HOSTILE, fa=f"متن {HOSTILE}")
    result.diagnoses = [Diagnosis(stub=HOSTILE, misconception=HOSTILE, text=words)]
    for line in result.criteria:
        line.id, line.title, line.message = HOSTILE, words, words
        line.stub = HOSTILE if line.stub else ""
        if line.written:
            line.written.notebook = HOSTILE
            line.written.question = line.written.rubric = line.written.model = line.written.marking = words
            line.written.answer = Answer(state="answered", text=f"{HOSTILE}\n\n```\n{HOSTILE}\n```", note=words)
    for each in result.experiments:
        each.title, each.protocol, each.note, each.data, each.question = words, words, words, HOSTILE, HOSTILE
        each.metrics |= {HOSTILE: 0.5}
    result.experiments[-1].id = HOSTILE
    return result


def write_sample(folder: Path, result: Result | None = None, per_group: int = 60, images: bool = True) -> Path:
    """Writes the Result and the arrays of its experiments that ran into ``folder``, which it returns.

    A map shows ``per_group`` images of each of three groups; without ``images`` it is one of before they were kept.
    """
    result = result or sample()
    write_result(result, folder)
    (folder / "figures").mkdir(exist_ok=True)
    for number, experiment in enumerate(result.experiments):
        if experiment.arrays:
            arrays = curves(max(experiment.epochs, 1), number) | embedding(number, experiment.question, per_group)
            if not images:
                del arrays["umap_images"], arrays["umap_pred"]
            if "clean" in experiment.metrics:
                arrays |= attacked(number)
            np.savez_compressed(folder / experiment.arrays, **arrays)
    return folder


if __name__ == "__main__":
    print(write_sample(Path(sys.argv[1]), per_group=int(sys.argv[2]) if len(sys.argv) > 2 else 300))
