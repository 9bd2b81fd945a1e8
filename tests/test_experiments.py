"""Experiments: the registry, what is accepted as weights, runs through a contestant, and the rule of thresholds."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table
from scipy import stats

from autograder import calibration, experiments, thresholds
from autograder.assignment import Assignment
from autograder.intake import take_in
from autograder.judge.contestant import Isolation, SubmissionFolder
from autograder.results import Experiment, Text

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def rows(assignment: Assignment) -> dict[str, Any]:
    found: dict[str, Any] = assignment.module("experiments").EXPERIMENTS
    return found


# --- the registry ------------------------------------------------------------------------------------------


def test_every_row_speaks_of_what_there_is(assignment: Assignment, rows: dict[str, Any]) -> None:
    registry, datasets = assignment.module("experiments"), assignment.module("datasets")
    for key, row in rows.items():
        metrics = set(registry.METRICS[row.question])
        assert row.id == key
        assert row.judged
        assert set(row.judged) <= metrics
        assert set(row.published) <= metrics
        assert {row.train_role, *row.test_roles} <= set(datasets.EMBEDDED)
        assert row.stubs
        assert {*row.stubs, row.model} <= set(assignment.stubs)
        assert set(row.epochs) == set(row.lr) == set(registry.PROFILES)
        assert set(row.start) <= set(registry.PROFILES)
        assert set(row.start.values()) <= set(rows) | set(registry.WEIGHTS)
        for profile in registry.PROFILES.values():
            assert row.question in profile.train
        assert row.title.en
        assert row.title.fa
        assert row.protocol.en != row.protocol.fa


def test_the_rows_are_those_of_the_courses_report(rows: dict[str, Any]) -> None:
    assert list(rows) == [
        "base",
        "no_batch_norm",
        "label_smoothing",
        "augmentation",
        "pretrained",
        "adam",
        "reverse",
        "reverse_finetuned",
        "standard",
        "adversarial",
        "circle",
    ]


def test_question_2_splits_its_images_64_16_20(assignment: Assignment, rows: dict[str, Any]) -> None:
    for profile in assignment.module("experiments").PROFILES.values():
        train, test = profile.train["Q2"], profile.test or 10_000  # of CIFAR-10
        for row in rows.values():
            if row.question == "Q2":
                parts = [(1 - row.validation) * train, row.validation * train, test]
                assert [part / (train + test) for part in parts] == pytest.approx([0.64, 0.16, 0.20])


def test_what_a_row_begins_with_comes_to_an_end(assignment: Assignment, rows: dict[str, Any]) -> None:
    for profile in assignment.module("experiments").PROFILES:
        before = {name: [row.id for row in experiments.begun_with(rows, name, profile)] for name in rows}
        assert before["reverse_finetuned"] == ["reverse"]
        assert before["pretrained"] == (["standard"] if profile == "quick" else [])
        assert not any(found for name, found in before.items() if name not in ("reverse_finetuned", "pretrained"))


def test_the_rubrics_experiments_are_in_the_registry(assignment: Assignment, rows: dict[str, Any]) -> None:
    lines = [line for line in assignment.lines if line.kind == "experiment"]
    assert {"base", "label_smoothing", "standard", "circle"} <= {line.experiment for line in lines}
    for line in lines:
        assert line.stub in rows[line.experiment].stubs


# --- weights -----------------------------------------------------------------------------------------------


@pytest.fixture
def load(assignment: Assignment, rows: dict[str, Any]) -> Callable[[Any], torch.nn.Module]:
    parts = {name: getattr(assignment.reference, name) for name in assignment.stubs}
    training = assignment.module("training")
    return lambda trained: experiments.load_weights(training, rows["base"], "quick", parts, trained)


@pytest.fixture
def state(assignment: Assignment) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    found: dict[str, torch.Tensor] = assignment.reference.ResNet18(width=16).state_dict()
    return found


def test_right_weights_are_loaded_into_the_references_model(
    load: Callable[[Any], torch.nn.Module], state: dict[str, torch.Tensor]
) -> None:
    loaded = load({"state": dict(reversed(state.items()))}).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (lambda state: state.pop("fc.bias"), "fc.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "extra"),
        (lambda state: state.update({"fc.bias": torch.zeros(11)}), "fc.bias"),
        (lambda state: state.update({"fc.bias": torch.zeros(10, dtype=torch.float64)}), "fc.bias"),
        (lambda state: state.update({"fc.bias": torch.full((10,), float("nan"))}), "fc.bias"),
        (lambda state: state.update({"fc.bias": torch.full((10,), float("inf"))}), "fc.bias"),
        (lambda state: state.update({"fc.bias": [0.0] * 10}), "no weights"),
    ],
    ids=["missing", "extra", "shape", "dtype", "nan", "infinite", "no tensor"],
)
def test_other_weights_are_refused_by_name_in_both_languages(
    load: Callable[[Any], torch.nn.Module],
    state: dict[str, torch.Tensor],
    spoil: Callable[[dict[str, Any]], None],
    names: str,
) -> None:
    spoil(state)
    with pytest.raises(experiments.Unusable) as refusal:
        load({"state": state})
    text = refusal.value.text
    assert names in text.en
    assert names in text.fa
    assert text.en != text.fa


@pytest.mark.parametrize("trained", [None, [], {}, {"state": None}, {"state": {}}, 1.0])
def test_an_answer_without_weights_is_refused(load: Callable[[Any], torch.nn.Module], trained: object) -> None:
    with pytest.raises(experiments.Unusable):
        load(trained)


# --- runs --------------------------------------------------------------------------------------------------


@pytest.fixture
def run(
    assignment: Assignment, isolation: Isolation, hand_in: Callable[..., Path], tmp_path: Path
) -> Callable[..., list[Experiment]]:
    """Runs experiments of a hand-in made of the reference and the files given."""

    def start(*wanted: str, **files: str) -> list[Experiment]:
        folder = tmp_path / "assembled"
        folder.mkdir()
        take_in(hand_in(**files), assignment).assemble(assignment, folder)
        place = SubmissionFolder(folder, assignment.name, assignment.stubs, isolation)
        events: list[tuple[str, float]] = []
        records, broken = experiments.run(
            assignment,
            list(wanted),
            place,
            tmp_path / "out",
            profile="quick",
            data=None,
            jobs=2,
            on_progress=lambda stage, done: events.append((stage, done)),
        )
        assert broken == {}
        together = {experiments.ALL} if len(wanted) > 1 else set()
        assert {stage for stage, _ in events} == {*wanted, *together}
        for name in (*wanted, *together):
            done = [part for stage, part in events if stage == name]
            assert done == sorted(done)
            assert done[-1] == 1.0
        return records

    return start


BLANK = """
import torch
from torch import nn

class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()

    def forward(self, logits, target):
        return logits.sum() * float("nan")

def convert_label_to_similarity(normed_feature, label):
    raise NotImplementedError

class CircleLoss(nn.Module):
    def __init__(self, m, gamma):
        super().__init__()
"""


@pytest.mark.slow
def test_a_part_that_does_not_work_is_told_and_not_measured(
    run: Callable[..., list[Experiment]], tmp_path: Path
) -> None:
    no_model = "class ResNet18:\n    def __init__(self, **options):\n        raise SystemExit(3)\n"
    records = run("circle", "base", "label_smoothing", losses=BLANK, resnet=no_model)
    assert [record.id for record in records] == ["circle", "base", "label_smoothing"]
    for record in records:
        assert record.status == "not_run"
        assert record.metrics == {}
        assert record.arrays == ""
        assert record.note.en
        assert record.note.fa
    circle, base, smoothing = (record.note.en for record in records)
    assert "not written yet" in circle
    assert "SystemExit" in base
    assert "nan" in smoothing
    assert not (tmp_path / "out" / "figures").exists()


@pytest.mark.slow
def test_what_begins_with_another_training_is_trained_twice_by_the_same_hand(
    run: Callable[..., list[Experiment]], rows: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = run("reverse_finetuned")
    assert record.status == "run"
    assert record.data == "sklearn_digits -> synth_digits"
    assert record.epochs == rows["reverse_finetuned"].epochs["quick"]
    assert record.metrics["source_test"] > 0.2  # chance is 0.1
    assert record.metrics["target_test"] > 0.2


def test_without_published_weights_a_row_is_not_run_and_says_what_brings_them(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = assignment.module("experiments")
    small = replace(registry.PROFILES["full"], train={"Q1": 100, "Q2": 100}, test=100)
    monkeypatch.setitem(registry.PROFILES, "full", small)
    monkeypatch.setattr(experiments, "STORE", tmp_path)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    order = experiments.Order(assignment.name, "pretrained", "full", None, 1, None)
    record, arrays = experiments.perform_one(order)
    assert (record.status, record.metrics, arrays) == ("not_run", {}, {})
    assert record.data == "ImageNet -> synth_digits -> sklearn_digits"
    for text in (record.note.en, record.note.fa):
        assert "resnet18-f37072fd.pth" in text
        assert "python -m autograder data fetch imagenet" in text
    file = tmp_path / "weights" / "resnet18-f37072fd.pth"
    file.parent.mkdir()
    file.write_bytes(b"half of it")
    assert str(file) in experiments.perform_one(order)[0].note.en


def test_a_map_is_made_once_for_the_same_features(assignment: Assignment, tmp_path: Path) -> None:
    measurement = assignment.module("measurement")
    made = 0

    class Counting:
        NEIGHBOURS, MIN_DIST = measurement.NEIGHBOURS, measurement.MIN_DIST

        @staticmethod
        def embed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            nonlocal made
            made += 1
            rest = {name: array for name, array in arrays.items() if name != "features"}
            return rest | {"umap_xy": arrays["features"][:, :2] * made}

    arrays: dict[str, np.ndarray] = {
        "features": np.random.default_rng(1).random((6, 3)).astype(np.float32),
        "umap_label": np.arange(6),
        "umap_group": np.zeros(6, np.int8),
        "umap_seed": np.array(3),
    }
    file = tmp_path / "base.npz"
    first = experiments.mapped(Counting, arrays, file)
    file.write_bytes(experiments.packed(first))
    again = experiments.mapped(Counting, arrays, file)
    assert made == 1
    assert set(again) == set(first) and all(np.array_equal(again[name], first[name]) for name in first)
    experiments.mapped(Counting, arrays | {"features": arrays["features"] + 1}, file)
    experiments.mapped(Counting, arrays | {"umap_seed": np.array(4)}, file)
    Counting.MIN_DIST = 0.5
    experiments.mapped(Counting, arrays, file)
    file.write_bytes(b"PK no archive")
    experiments.mapped(Counting, arrays, file)
    assert made == 5


@pytest.mark.slow
def test_the_reference_handed_in_reaches_what_the_reference_reached(
    run: Callable[..., list[Experiment]], assignment: Assignment, tmp_path: Path
) -> None:
    records = run("standard", "label_smoothing")
    for record in records:
        assert record.status == "run"
        assert record.thresholds
        for metric, least in record.thresholds.items():
            assert record.metrics[metric] >= least
        with np.load(tmp_path / "out" / record.arrays, allow_pickle=False) as arrays:
            assert len(arrays["umap_xy"]) == len(arrays["umap_label"]) == len(arrays["umap_group"])
            assert len(arrays["curve_train_loss"]) == record.epochs
            assert "features" not in arrays
    assert records[0].data == "objects10"
    assert records[1].data == "synth_digits -> sklearn_digits"


def test_a_store_without_the_images_is_the_callers_mistake(assignment: Assignment, tmp_path: Path) -> None:
    experiments.require_data(assignment, ["base", "circle"], "quick", None)
    with pytest.raises(experiments.DataUnavailable, match=r"is not in .*data import"):
        experiments.require_data(assignment, ["circle"], "quick", tmp_path)


def test_what_goes_wrong_in_a_worker_is_told_here(assignment: Assignment, tmp_path: Path) -> None:
    order = experiments.Order(assignment.name, "circle", "quick", tmp_path, 1, None)
    with pytest.raises(RuntimeError, match="circle: DataMissing: cifar10 is not in"):
        list(experiments.perform([order], 1))


def test_what_was_kept_is_not_run_again(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    stop = ["circle"]

    def perform(orders: list[experiments.Order], jobs: int, on_progress: Any, on_fault: Any) -> Any:
        for order in orders:
            if order.experiment in stop:
                raise KeyboardInterrupt
            asked.append(order.experiment)
            record = Experiment(id=order.experiment, data="", metrics={"clean": 0.5, "source_test": 0.5})
            on_progress(order.experiment, 1.0)
            yield order, record, {"curve_train_loss": np.zeros(2)}

    monkeypatch.setattr(experiments, "perform", perform)
    today = {"thresholds": {"clean": 0.25}, "reference": {"clean": 0.5}}
    monkeypatch.setattr(thresholds, "stored", lambda *known: today)
    place = SubmissionFolder(tmp_path, assignment.name, assignment.stubs, "full")
    wanted = ["base", "standard", "circle"]

    def run(sha256: str, resume: bool = True) -> list[Experiment]:
        seen: list[float] = []
        records, broken = experiments.run(
            assignment,
            wanted,
            place,
            tmp_path / "out",
            profile="quick",
            data=None,
            jobs=1,
            on_progress=lambda stage, done: seen.append(done) if stage == experiments.ALL else None,
            sha256=sha256,
            resume=resume,
        )
        assert broken == {}
        assert seen == sorted(seen)
        assert seen[-1] == pytest.approx(1.0)
        return records

    with pytest.raises(KeyboardInterrupt):
        run("1")
    assert sorted(asked) == ["base", "standard"]
    stop.clear()
    assert [record.id for record in run("1")] == wanted
    assert sorted(asked) == ["base", "circle", "standard"]
    assert run("1")[1].thresholds == {"clean": 0.25}  # those of today, not those of the interrupted run
    assert len(asked) == 3
    (tmp_path / "out" / "figures" / "base.npz").unlink()  # its figures are gone
    (tmp_path / "out" / experiments.KEPT / "circle.json").write_text("{half")
    run("1")
    assert sorted(asked[3:]) == ["base", "circle"]
    run("2")  # another submission
    run("2", resume=False)
    assert len(asked) == 11
    experiments.forget(tmp_path / "out")
    assert not (tmp_path / "out" / experiments.KEPT).exists()


def test_the_longest_row_costs_the_most(assignment: Assignment, rows: dict[str, Any]) -> None:
    registry = assignment.module("experiments")
    costs = {name: experiments.cost(registry, name, "quick") for name in rows}
    assert costs["pretrained"] == costs["base"] + costs["standard"]
    assert costs["adversarial"] > 1.4 * costs["standard"]
    assert costs["reverse_finetuned"] - costs["reverse"] < costs["base"] / 3


def test_a_contestants_function_sees_no_graphics_card() -> None:
    seen: list[torch.device] = []

    class Loss:
        def __call__(self, x: torch.Tensor, scale: float) -> tuple[torch.Tensor, float]:
            seen.append(x.device)
            return x * scale, scale

        def forward(self) -> None: ...

    make = experiments.across(lambda: Loss(), "meta")  # a device that every machine has
    product, scale = make()(torch.ones(3), 2.0)
    assert seen == [torch.device("cpu")]
    assert product.device.type == "meta"
    assert scale == 2.0
    x = torch.ones(3, requires_grad=True)
    experiments.across(Loss(), "cpu")(x, 2.0)[0].sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, torch.full((3,), 2.0))


@pytest.mark.slow
def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "from autograder import experiments\n"
        "if __name__ == '__main__':\n"
        "    context = get_context('spawn')\n"
        "    pool = ProcessPoolExecutor(1, context, initializer=experiments._begin, initargs=(context.Queue(),))\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    pool.submit(time.sleep, 600)\n"
        "    time.sleep(600)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(300):
        if not _alive(worker):
            return
        time.sleep(0.1)
    os.kill(worker, 9)
    pytest.fail("the worker went on for half a minute")


def _alive(pid: int) -> bool:
    """Whether a process computes: it is there, and not merely waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- thresholds --------------------------------------------------------------------------------------------


def test_the_lower_bound_is_that_of_a_prediction_interval() -> None:
    values = [0.80, 0.82, 0.81, 0.85, 0.79, 0.83]
    n, mean, spread = len(values), np.mean(values), np.std(values, ddof=1)
    assert thresholds.lower_bound(values) == pytest.approx(
        mean - stats.t.ppf(0.999, n - 1) * spread * np.sqrt(1 + 1 / n)
    )
    # Hahn and Meeker's table: t(0.999, 5) is 5.893.
    assert (mean - thresholds.lower_bound(values)) / spread == pytest.approx(5.893 * np.sqrt(7 / 6), rel=1e-3)


def test_the_bound_holds_one_more_run_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    runs = rng.normal(0.7, 0.01, (4000, 6))
    missed = sum(bool(row[5] < thresholds.lower_bound(row[:5].tolist())) for row in runs)
    assert missed <= 12  # 4 are expected; more than 12 come once in 3,000 times


def test_equal_runs_are_their_own_bound_and_two_are_too_few() -> None:
    assert thresholds.lower_bound([0.5, 0.5, 0.5]) == 0.5
    assert thresholds.lower_bound([0.0, 0.5, 1.0]) == 0.0
    with pytest.raises(ValueError, match="too few"):
        thresholds.lower_bound([0.5, 0.5])


@pytest.fixture
def elsewhere(assignment: Assignment, tmp_path: Path) -> Assignment:
    """The assignment with its grading folder elsewhere, empty."""
    (tmp_path / "grading").mkdir()
    return replace(assignment, folder=tmp_path)


def test_the_fingerprint_changes_with_the_settings_and_the_images_alone(
    assignment: Assignment, rows: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def taken(experiment: str, profile: str = "quick", data: Path | None = None) -> str:
        return thresholds.fingerprint(assignment, experiment, profile, data)

    def write(name: str, text: str) -> None:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "manifest.json").write_text(json.dumps({"sha256": {"train_pixels.npy": text}}))

    for name in ("svhn", "mnist", "cifar10"):
        write(name, "1")
    before = {name: taken(name) for name in rows}
    assert len(set(before.values())) == len(rows)
    real = {name: taken(name, data=tmp_path) for name in rows}
    assert not set(real.values()) & set(before.values())
    assert taken("base", "full") != before["base"]
    write("cifar10", "2")
    assert {name for name in rows if taken(name, data=tmp_path) != real[name]} == {
        "pretrained",
        "standard",
        "adversarial",
        "circle",
    }
    monkeypatch.setitem(rows, "reverse", replace(rows["reverse"], epochs={"quick": 99, "full": 10}))
    assert {name for name in rows if taken(name) != before[name]} == {"reverse", "reverse_finetuned"}
    other_words = {"title": rows["adam"].title, "published": {}, "lr": {**rows["base"].lr, "full": 9.0}}
    monkeypatch.setitem(rows, "base", replace(rows["base"], **other_words))
    assert taken("base") == before["base"]


def test_runs_of_other_settings_make_no_threshold_and_are_run_again(
    elsewhere: Assignment, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(orders: list[experiments.Order], jobs: int, on_progress: Any) -> Any:
        for order in orders:
            metrics = {"source_test": 0.9, "target_test": 0.5}
            yield order, Experiment(id=order.experiment, metrics=metrics, data="synth_digits"), {}

    monkeypatch.setattr(calibration, "perform", perform)
    rows = assignment.module("experiments").EXPERIMENTS

    def calibrate() -> int:
        calibration.calibrate(elsewhere, ["base"], profile="quick", data=None, seeds=5, jobs=1, fresh=False)
        return len(thresholds.read(elsewhere)["quick/embedded"]["base"]["runs"])

    assert calibrate() == 5
    assert thresholds.stored(elsewhere, "quick", None, "base")["thresholds"]
    assert "old settings" not in shown(calibration.table(elsewhere))
    monkeypatch.setitem(rows, "base", replace(rows["base"], lr={"quick": 1.0, "full": 1.0}))
    assert thresholds.stored(elsewhere, "quick", None, "base") == {"thresholds": {}, "reference": {}}
    assert "old settings" in shown(calibration.table(elsewhere))
    assert calibrate() == 5
    assert thresholds.stored(elsewhere, "quick", None, "base")["thresholds"]


def test_calibration_leaves_out_what_cannot_be_run_and_says_why(
    elsewhere: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(orders: list[experiments.Order], jobs: int, on_progress: Any) -> Any:
        for order in orders:
            yield order, Experiment(id=order.experiment, data="", status="not_run", note=Text(en="no weights")), {}

    monkeypatch.setattr(calibration, "perform", perform)
    skipped = calibration.calibrate(elsewhere, ["base"], profile="full", data=None, seeds=3, jobs=1, fresh=False)
    assert skipped == {"base": "no weights"}
    assert thresholds.read(elsewhere) == {}


def shown(table: Table) -> str:
    """What a table looks like on a wide terminal."""
    console = Console(width=200, file=io.StringIO())
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_calibration_runs_what_is_missing_and_keeps_what_is_there(
    elsewhere: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def perform(orders: list[experiments.Order], jobs: int, on_progress: Any) -> Any:
        for order in orders:
            assert order.place is None
            asked.append((order.experiment, order.seed))
            metrics = {"source_test": 0.9 + order.seed / 100, "target_test": 0.5}
            yield order, Experiment(id=order.experiment, metrics=metrics, data="digits"), {}

    monkeypatch.setattr(calibration, "perform", perform)
    monkeypatch.setattr(thresholds, "fingerprint", lambda *known: "the same")

    def calibrate(data: Path | None, seeds: int, fresh: bool = False) -> None:
        calibration.calibrate(elsewhere, ["base"], profile="quick", data=data, seeds=seeds, jobs=1, fresh=fresh)

    calibrate(None, 2)
    assert thresholds.stored(elsewhere, "quick", None, "base") == {"thresholds": {}, "reference": {}}
    calibrate(None, 4)
    assert asked == [("base", seed) for seed in range(4)]
    four = thresholds.stored(elsewhere, "quick", None, "base")
    assert four == {"thresholds": {}, "reference": pytest.approx({"source_test": 0.915, "target_test": 0.5})}
    calibrate(None, 5)
    calibrate(Path("store"), 3)
    assert len(asked) == 8
    found = thresholds.stored(elsewhere, "quick", None, "base")
    assert found["reference"] == pytest.approx({"source_test": 0.92, "target_test": 0.5})
    assert found["thresholds"] == {"source_test": thresholds.lower_bound([0.90, 0.91, 0.92, 0.93, 0.94])}
    assert set(thresholds.read(elsewhere)) == {"quick/embedded", "quick/real"}
    calibrate(None, 3, fresh=True)
    assert asked[-3:] == [("base", 0), ("base", 1), ("base", 2)]
    assert set(thresholds.read(elsewhere)["quick/embedded"]["base"]["runs"]) == {"0", "1", "2"}


def test_misconceptions_are_tried_once_each_with_their_stub_alone(
    elsewhere: Assignment, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(assignment.folder / "corpus", elsewhere.folder / "corpus")
    for name in ("__init__", *assignment.provided):
        shutil.copy(assignment.folder / f"{name}.py", elsewhere.folder)
    tried: list[str] = []

    def perform(orders: list[experiments.Order], jobs: int, on_progress: Any) -> Any:
        for order in orders:
            assert order.place is not None
            (stub,) = order.place.stubs
            source = order.place.folder / assignment.name / f"{assignment.stubs[stub]}.py"
            tried.append(source.read_text(encoding="utf-8"))
            trains = len(tried) != 1
            metrics = {"clean": 0.1 + len(tried) / 100} if trains else {}
            status: Any = "run" if trains else "not_run"
            yield order, Experiment(id=order.experiment, metrics=metrics, data="objects10", status=status), {}

    monkeypatch.setattr(calibration, "perform", perform)
    wanted = [(stub, name) for row, stub, name in calibration.trained_misconceptions(elsewhere) if row == "circle"]
    for _ in range(2):
        calibration.try_misconceptions(elsewhere, ["circle"], profile="quick", data=None, jobs=1)
    texts = [(assignment.folder / "corpus" / "wrong" / stub / f"{name}.py").read_text() for stub, name in wanted]
    assert tried == texts
    figures = thresholds.read(elsewhere)["quick/embedded"]["circle"]
    assert list(figures["misconceptions"]) == sorted(f"{stub}/{name}" for stub, name in wanted)
    assert figures["misconceptions"]["/".join(wanted[0])] == {}
    assert thresholds.stored(elsewhere, "quick", None, "circle")["thresholds"] == {}


def test_the_misconceptions_tried_are_of_the_corpus_and_of_their_experiment(
    assignment: Assignment, rows: dict[str, Any]
) -> None:
    chosen = calibration.trained_misconceptions(assignment)
    assert {experiment for experiment, _, _ in chosen} == set(assignment.experiments)
    assert len(set(chosen)) == len(chosen)
    for experiment, stub, name in chosen:
        assert stub in rows[experiment].stubs
        assert (assignment.folder / "corpus" / "wrong" / stub / f"{name}.py").is_file()


def test_what_was_never_calibrated_has_no_threshold(elsewhere: Assignment) -> None:
    assert thresholds.stored(elsewhere, "full", Path("store"), "base") == {"thresholds": {}, "reference": {}}


def test_the_stored_runs_are_of_this_registry(assignment: Assignment, rows: dict[str, Any]) -> None:
    stored = json.loads(thresholds.path(assignment).read_text(encoding="utf-8"))
    metrics = assignment.module("experiments").METRICS
    for place, runs in stored.items():
        assert place.split("/")[1] in ("embedded", "real")
        for experiment, figures in runs.items():
            row = rows[experiment]
            assert figures["judged"] == list(row.judged)
            if place.endswith("/embedded"):
                assert figures["settings"] == thresholds.fingerprint(
                    assignment, experiment, place.split("/")[0], None
                )
            assert all(set(run) == set(metrics[row.question]) for run in figures["runs"].values())
    for line in assignment.lines:
        if line.kind == "experiment":
            found = thresholds.stored(assignment, "quick", None, line.experiment)["thresholds"]
            assert all(least > 0.3 for least in found.values())  # three times chance
            assert set(found) == set(rows[line.experiment].judged)
