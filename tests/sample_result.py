"""A realistic Result with its figures' arrays, for the tests of the report and for looking at it.

``python tests/sample_result.py FOLDER`` writes one. The numbers are drawn from a seed and shaped like those of real
runs; nothing is trained.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from autograder.results import (
    Criterion,
    Diagnosis,
    Experiment,
    Isolation,
    Result,
    Student,
    Submission,
    Text,
    write_result,
)

DIGITS = "synth_digits -> sklearn_digits"
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


def embedding(seed: int, per_group: int = 300) -> dict[str, Any]:
    """Ten clusters of three groups, of which the third is blurred."""
    draw = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    centres = np.stack([7 * np.cos(angle), 5 * np.sin(angle)], axis=1) + draw.normal(0, 1, (10, 2))
    label = draw.integers(0, 10, 3 * per_group)
    group = np.repeat([0, 1, 2], per_group)
    spread = np.where(group == 2, 2.2, 0.7)[:, None]
    return {
        "umap_xy": (centres[label] + draw.normal(0, 1, (3 * per_group, 2)) * spread).astype(np.float32),
        "umap_label": label.astype(np.int64),
        "umap_group": group.astype(np.uint8),
        "umap_trustworthiness": np.float64(0.9431),
        "umap_knn": np.float64(0.8125),
        "umap_seed": np.int64(SEED),
        "umap_neighbors": np.int64(15),
        "umap_min_dist": np.float64(0.1),
    }


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
        unit(
            "",
            "written.q1",
            0,
            10,
            "Written answers on generalisation",
            "پاسخ‌های تشریحی دربارهٔ تعمیم",
            kind="manual",
            status="pending",
        ),
        unit(
            "",
            "written.q2",
            0,
            10,
            "Written answers on adversarial robustness",
            "پاسخ‌های تشریحی دربارهٔ مقاومت در برابر حمله",
            kind="manual",
            status="pending",
        ),
    ]


def experiments() -> list[Experiment]:
    """Both questions, a missed threshold, and one that was not run."""
    return [
        Experiment(
            id="base",
            question="q1",
            title=Text(en="Base", fa="پایه"),
            protocol=Text(
                en="ResNet18 trained on the source with cross-entropy, SGD with momentum 0.9.",
                fa="‏ResNet18 با آنتروپی متقاطع و SGD با تکانهٔ ۰٫۹ روی دادهٔ مبدأ آموزش می‌بیند.",
            ),
            data=DIGITS,
            metrics={"source_test": 0.9312, "target_test": 0.5478},
            thresholds={"source_test": 0.85, "target_test": 0.45},
            reference={"source_test": 0.941, "target_test": 0.5601},
            published={"source_test": 0.92, "target_test": 0.64},
            seed=SEED,
            epochs=10,
            duration_s=24.7,
            arrays="figures/base.npz",
        ),
        Experiment(
            id="label_smoothing",
            question="q1",
            title=Text(en="Label smoothing", fa="هموارسازی برچسب"),
            protocol=Text(
                en="The same with LabelSmoothingCrossEntropy(epsilon=0.25) of the student.",
                fa="همان، با LabelSmoothingCrossEntropy(epsilon=0.25) نوشتهٔ دانشجو.",
            ),
            data=DIGITS,
            metrics={"source_test": 0.9401, "target_test": 0.6123},
            thresholds={"source_test": 0.86, "target_test": 0.48},
            reference={"source_test": 0.9399, "target_test": 0.6123},
            published={"source_test": 0.92, "target_test": 0.70},
            seed=SEED,
            epochs=10,
            duration_s=25.2,
            arrays="figures/label_smoothing.npz",
        ),
        Experiment(
            id="standard",
            question="q2",
            title=Text(en="Part A: standard training", fa="بخش الف: آموزش عادی"),
            protocol=Text(
                en="Adam, early stopping on a validation split of 10 %.",
                fa="‏Adam، با توقف زودهنگام روی ۱۰٪ دادهٔ اعتبارسنجی.",
            ),
            data=OBJECTS,
            metrics={"clean": 0.874, "fgsm": 0.021, "fgsm_8": 0.093, "pgd_8": 0.008},
            thresholds={"clean": 0.80},
            reference={"clean": 0.881, "fgsm": 0.019, "fgsm_8": 0.088, "pgd_8": 0.006},
            published={"clean": 0.6991, "fgsm": 0.4841},
            seed=SEED,
            epochs=16,
            duration_s=151.0,
            arrays="figures/standard.npz",
        ),
        Experiment(
            id="circle",
            question="q2",
            title=Text(en="Part C: Circle loss", fa="بخش ج: تابع هزینهٔ Circle"),
            protocol=Text(
                en="CircleLoss and convert_label_to_similarity of the student, Adam 1e-3, then 5-NN on the features; "
                "attacked through a linear head.",
                fa="‏CircleLoss و convert_label_to_similarity نوشتهٔ دانشجو، Adam با نرخ 1e-3، سپس 5-NN روی ویژگی‌ها؛ "
                "حمله از راه یک لایهٔ خطی انجام می‌شود.",
            ),
            data=OBJECTS,
            metrics={"clean": 0.412, "fgsm": 0.052, "fgsm_8": 0.101},
            thresholds={"clean": 0.55},
            reference={"clean": 0.803, "fgsm": 0.11, "fgsm_8": 0.201},
            published={"clean": 0.7764, "fgsm": 0.5224},
            seed=SEED,
            epochs=25,
            duration_s=188.0,
            arrays="figures/circle.npz",
        ),
        Experiment(
            id="adversarial",
            question="q2",
            title=Text(en="Part B: adversarial training", fa="بخش ب: آموزش تخاصمی"),
            data=OBJECTS,
            status="not_run",
            note=Text(
                en="Not part of the quick profile; --profile full runs it.",
                fa="جزو پروفایل سریع نیست؛ با ‎--profile full‎ اجرا می‌شود.",
            ),
            published={"clean": 0.8236, "fgsm": 0.5223},
        ),
    ]


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
        pending=20,
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


def write_sample(folder: Path, result: Result | None = None) -> Path:
    """Writes the Result and the arrays of its experiments that ran into ``folder``, which it returns."""
    result = result or sample()
    write_result(result, folder)
    (folder / "figures").mkdir(exist_ok=True)
    for number, experiment in enumerate(result.experiments):
        if experiment.arrays:
            arrays = curves(max(experiment.epochs, 1), number) | embedding(number)
            if "clean" in experiment.metrics:
                arrays |= attacked(number)
            np.savez_compressed(folder / experiment.arrays, **arrays)
    return folder


if __name__ == "__main__":
    print(write_sample(Path(sys.argv[1])))
