"""The notebooks: well formed, worth what the rubric says, and running from top to bottom."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from autograder.assignment import Assignment
from autograder.release import notebook_text

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "solutions" / "hw1"
RELEASED = ROOT / "assignment" / "hw1"

NOTEBOOKS = sorted(path.stem for path in SOURCE.glob("q[0-9]*.ipynb"))
PERSIAN = re.compile("[\N{ARABIC LETTER ALEF}-\N{ARABIC LETTER YEH}]")
SHOWN = re.compile(r'runs\.run\("(\w+)"')

IMAGES = "60"


def cells(name: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((SOURCE / f"{name}.ipynb").read_text("utf-8"))["cells"]
    return read


def graded(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def test_every_row_of_the_registry_is_in_a_notebook(assignment: Assignment) -> None:
    assert len(NOTEBOOKS) == 10
    shown = {row for name in NOTEBOOKS for cell in cells(name) for row in SHOWN.findall("".join(cell["source"]))}
    assert shown == set(assignment.module("experiments").EXPERIMENTS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_and_always_the_same(name: str) -> None:
    text = (SOURCE / f"{name}.ipynb").read_text("utf-8")
    notebook = json.loads(text)
    nbformat.validate(notebook)
    assert text == notebook_text(notebook)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    assert all(re.fullmatch("[a-z0-9-]+", cell["id"]) for cell in notebook["cells"])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_words_are_in_both_languages(name: str) -> None:
    for cell in cells(name):
        if cell["cell_type"] != "markdown":
            continue
        english, _, persian = "".join(cell["source"]).partition('<div dir="rtl">')
        assert re.search("[a-z]{3}", english) and not PERSIAN.search(english)
        assert PERSIAN.search(persian) and "</div>" in persian


def test_written_answers_are_worth_what_the_rubric_says(assignment: Assignment) -> None:
    answers, ids = {}, []
    for name in NOTEBOOKS:
        within = cells(name)
        for before, cell in zip([None, *within], within, strict=False):
            about = graded(cell)
            if not about:
                continue
            ids.append(about["grade_id"])
            assert about["schema_version"] == 3
            if not about["solution"]:
                continue
            answers[f"written.{about['grade_id']}"] = about["points"]
            assert about["grade"] and not about["locked"] and cell["cell_type"] == "markdown"
            assert before is not None and graded(before)["locked"] and "How it is marked" in "".join(before["source"])
            solution = "".join(cell["source"]).strip()
            assert solution.startswith("### BEGIN SOLUTION\n") and solution.endswith("\n### END SOLUTION")
    assert len(set(ids)) == len(ids)
    assert answers == {line.id: line.points for line in assignment.lines if line.kind == "manual"}
    assert sum(answers.values()) == 20


# --- running them -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course's folder, to run notebooks in."""
    left_out = shutil.ignore_patterns("__pycache__", "corpus", "grading", "results")
    return Path(shutil.copytree(SOURCE, tmp_path_factory.mktemp("notebooks") / "hw1", ignore=left_out))


def environment() -> dict[str, str]:
    return {**os.environ, "HW1_IMAGES": IMAGES, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def every_row(folder: Path) -> dict[str, dict[str, float]]:
    """All rows of all notebooks, run in one process on few images: row -> its metrics.

    The notebooks then find them in the folder of results, and need not all wait for UMAP to be compiled.
    """
    script = """
import json
from hw1 import experiments, runs
print(json.dumps({name: runs.run(name).metrics for name in experiments.EXPERIMENTS}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder.parent,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, dict[str, float]] = json.loads(done.stdout)
    return made


def execute(folder: Path, name: str) -> nbformat.NotebookNode:
    """Runs a notebook as Jupyter does, and gives it back with its outputs.

    Raises:
        CellExecutionError: of the first cell that fails.
    """
    notebook: nbformat.NotebookNode = nbformat.read(folder / f"{name}.ipynb", 4)  # type: ignore[no-untyped-call]
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute(env=environment())
    return notebook


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_top_to_bottom(
    folder: Path, every_row: dict[str, dict[str, float]], name: str, assignment: Assignment
) -> None:
    notebook = execute(folder, name)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type in ("error", "stream") and "rror" in str(output)]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    text = "\n".join(str(output.data.get("text/plain", "")) for output in outputs if "data" in output)
    rows = {row for cell in cells(name) for row in SHOWN.findall("".join(cell["source"]))}
    assert len(pictures) >= 2
    for row in rows:
        assert assignment.module("experiments").EXPERIMENTS[row].title.en in text
        figure = max(every_row[row].values())
        assert f"{100 * figure:.1f} %" in text
    assert "60 training images" in text


@pytest.mark.slow
def test_a_notebook_of_a_student_who_has_written_nothing_names_the_stub(tmp_path: Path) -> None:
    shutil.copytree(RELEASED, tmp_path / "hw1")
    with pytest.raises(CellExecutionError) as caught:
        execute(tmp_path / "hw1", "q1_a_base")
    assert caught.value.ename == "CannotRun"
    english, persian, *_ = caught.value.evalue.split("\n")
    assert english.startswith("ResNet18 is not written yet: write it in resnet.py, try it with pytest -k resnet")
    assert PERSIAN.search(persian) and "resnet.py" in persian
    assert "Traceback" not in caught.value.traceback and "runs.py" not in caught.value.traceback


# --- what is remembered -------------------------------------------------------------------------------------


@pytest.fixture
def runs(assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, with an empty folder of results, few images and no map."""
    module, measurement = assignment.module("runs"), assignment.module("measurement")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measurement, "embed", lambda arrays: dict(arrays))
    monkeypatch.setenv("HW1_IMAGES", "40")
    return module


@pytest.fixture
def trainings(runs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The rows that are trained, in order."""
    done: list[str] = []
    train = runs.training.train

    def noted(experiment: str, *arguments: Any, **options: Any) -> Any:
        done.append(experiment)
        return train(experiment, *arguments, **options)

    monkeypatch.setattr(runs.training, "train", noted)
    yield done


def test_a_row_is_trained_once(runs: ModuleType, trainings: list[str]) -> None:
    first, again = runs.run("base"), runs.run("base")
    assert trainings == ["base"]
    assert again.metrics == first.metrics and again.duration_s == first.duration_s
    assert set(again.arrays) == set(first.arrays)
    np.testing.assert_array_equal(again.curves["val_loss"], first.curves["val_loss"])
    assert first.metrics["source_test"] == runs.accuracy(first, runs.images("source", "test"))
    assert first.tested_on == {"source_test": 40, "target_test": 40} and first.trained_on == 40
    runs.run("base", seed=1)
    assert trainings == ["base", "base"]


def test_a_row_that_begins_with_another_trains_that_first(runs: ModuleType, trainings: list[str]) -> None:
    tuned = runs.run("reverse_finetuned")
    assert trainings == ["reverse", "reverse_finetuned"]
    first, last = runs.first_weights(tuned), runs.model(tuned).state_dict()
    assert (first["conv1.weight"] == last["conv1.weight"]).all() and (first["fc.weight"] != last["fc.weight"]).any()
    runs.run("reverse")
    assert trainings == ["reverse", "reverse_finetuned"]


@pytest.mark.parametrize(
    ("module", "change", "row", "anew"),
    [
        ("resnet", "\n# a comment\n", "base", False),
        ("resnet", "\nX = 1\n", "base", True),
        ("losses", "\nX = 1\n", "base", False),
        ("losses", "\nX = 1\n", "label_smoothing", True),
        ("training", "\nX = 1\n", "base", True),
        ("figures", "\nX = 1\n", "base", False),
    ],
)
def test_a_row_is_trained_anew_when_code_that_it_used_changes(
    runs: ModuleType,
    trainings: list[str],
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    change: str,
    row: str,
    anew: bool,
) -> None:
    runs.run(row)
    sources = runs._SOURCES | {module: runs._SOURCES[module] + change}
    monkeypatch.setattr(runs, "_SOURCES", sources)
    monkeypatch.setattr(runs, "_read", lambda: sources)
    runs.run(row)
    assert len(trainings) == 1 + anew


def test_a_row_is_trained_anew_when_its_settings_change(
    runs: ModuleType, trainings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.run("base")
    changed = replace(runs.EXPERIMENTS["base"], lr={"quick": 0.001, "full": 0.001})
    monkeypatch.setitem(runs.EXPERIMENTS, "base", changed)
    runs.run("base")
    monkeypatch.setenv("HW1_IMAGES", "50")
    runs.run("base")
    assert len(trainings) == 3


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half of one"])
def test_a_result_that_is_damaged_is_made_anew(runs: ModuleType, trainings: list[str], content: bytes) -> None:
    wanted = runs.run("base").metrics
    (stored,) = runs.RESULTS.glob("base*.npz")
    stored.write_bytes(content)
    assert runs.run("base").metrics == wanted
    assert trainings == ["base"]  # its weights were whole


def test_a_file_that_changed_under_a_running_notebook_is_told(
    runs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_read", lambda: runs._SOURCES | {"losses": "x = 1"})
    with pytest.raises(runs.CannotRun, match=r"^losses\.py has changed .*restart the kernel"):
        runs.run("base")


@pytest.mark.parametrize(
    ("name", "value"), [("HW1_PROFILE", "quik"), ("HW1_IMAGES", "many"), ("HW1_IMAGES", "3"), ("HW1_DATA", "nowhere")]
)
def test_a_wish_that_cannot_be_met_is_told_in_both_languages(
    runs: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(runs.CannotRun) as caught:
        runs.run("base")
    english, persian = caught.value._render_traceback_()
    assert value in english and PERSIAN.search(persian)


@pytest.mark.slow
def test_every_stub_that_a_row_needs_is_asked_for_before_it_is_trained(tmp_path: Path) -> None:
    """Stubs are written one after the other, in the handout's order; each time every row says what it lacks."""
    shutil.copytree(RELEASED, tmp_path / "hw1")
    script = """
import json
from hw1 import experiments, runs
lacks = {}
for row in experiments.EXPERIMENTS.values():
    try:
        runs.require(*runs._needed(row, runs.Size.wanted()))
        lacks[row.id] = ""
    except runs.CannotRun as problem:
        lacks[row.id] = str(problem).split()[0]
print(json.dumps(lacks))
"""

    def lacks() -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, str] = json.loads(done.stdout)
        return found

    assert set(lacks().values()) == {"ResNet18"}
    shutil.copy(SOURCE / "resnet.py", tmp_path / "hw1")
    assert {row: stub for row, stub in lacks().items() if stub} == {
        "label_smoothing": "LabelSmoothingCrossEntropy",
        "standard": "fgsm_attack",
        "adversarial": "fgsm_attack",
        "circle": "convert_label_to_similarity",
    }
    shutil.copy(SOURCE / "losses.py", tmp_path / "hw1")
    shutil.copy(SOURCE / "attacks.py", tmp_path / "hw1")
    assert set(lacks().values()) == {""}
