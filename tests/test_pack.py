"""The command that packs a hand-in: what it takes, what it refuses and why; and that the judge takes the zip."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.intake import take_in
from autograder.release import PUBLIC_RUBRIC

ROOT = Path(__file__).resolve().parents[1]
RELEASE = ROOT / "assignment" / "hw1"
STUB_FILES = ("attacks.py", "losses.py", "resnet.py")
PACKED, REFUSED = 0, 1


@pytest.fixture
def folder(tmp_path: Path, assignment: Assignment) -> Path:
    """A student's folder with all work done."""
    mine = tmp_path / "my homework"
    shutil.copytree(RELEASE, mine, ignore=shutil.ignore_patterns("__pycache__", "results"))
    for name in STUB_FILES:
        shutil.copy(assignment.folder / name, mine / name)
    (mine / "student.toml").write_text('name = "سارا"\nnumber = "۸۱۰۱۰۰۱۲۳"\n', "utf-8")
    for path in mine.glob("*.ipynb"):
        path.write_text(path.read_text("utf-8").replace("YOUR ANSWER HERE", "An answer."), "utf-8")
    return mine


def pack(folder: Path, *arguments: str) -> tuple[int, str]:
    """Runs the command as students do, with Python's own library alone."""
    command = [sys.executable, "-I", "-S", "pack.py", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_finished_folder_is_packed_and_the_judge_takes_it(folder: Path, assignment: Assignment) -> None:
    (folder / "results" / "weights").mkdir(parents=True)
    (folder / "results" / "base.npz").write_bytes(b"figures")
    (folder / "results" / "weights" / "base.npz").write_bytes(b"weights")
    (folder / "own_module.py").write_text("X = 1\n")
    (folder / "datasets.py").write_text("raise SystemExit\n")  # the grader has its own
    status, said = pack(folder)
    assert status == PACKED and "Hand in this one file" in said and "همین یک پرونده" in said
    path = folder / "hw1-810100123.zip"
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    notebooks = {f"hw1/{path.name}" for path in folder.glob("*.ipynb")}
    code = {f"hw1/{name}" for name in (*STUB_FILES, "student.toml", "own_module.py", "results/base.npz")}
    assert names == code | notebooks and len(notebooks) > 1
    hand_in = take_in(path, assignment)
    assert (hand_in.student.number, hand_in.student.name, set(hand_in.missing)) == ("۸۱۰۱۰۰۱۲۳", "سارا", set())
    assert pack(folder) == (status, said)  # its own zip is no part of the next


REFUSALS: dict[str, tuple[Callable[[Path], object], str, str, bool]] = {
    "no name": (
        lambda f: (f / "student.toml").write_text('name = ""\nnumber = "1"\n'),
        "name and your",
        "نام و",
        False,
    ),
    "no toml": (lambda f: (f / "student.toml").write_text("name = Sara\n"), "cannot be read", "خوانده نمی‌شود", False),
    "no file": (lambda f: (f / "losses.py").unlink(), "losses.py is missing", "losses.py نیست", False),
    "no notebook": (lambda f: next(f.glob("q1*.ipynb")).unlink(), "ipynb is missing", "ipynb نیست", False),
    "stub": (lambda f: shutil.copy(RELEASE / "losses.py", f), "CircleLoss is not written", "هنوز CircleLoss", True),
    "syntax": (lambda f: (f / "attacks.py").write_text("def f(:\n"), "attacks.py is no Python", "پایتونِ درستی", True),
    "answer": (
        lambda f: shutil.copy(RELEASE / "q1_a_base.ipynb", f),
        "question q1_seeds is not answered",
        "پرسش q1_seeds هنوز",
        True,
    ),
    "damaged": (lambda f: (f / "q1_a_base.ipynb").write_text("{"), "cannot be read as a notebook", "نوت‌بوک", False),
    "large": (lambda f: (f / "data.py").write_bytes(b"#" * (2 << 20)), "data.py has 2.0 MiB", "حجم data.py", False),
    "weights": (lambda f: (f / "q9.ipynb").write_bytes(bytes(17 << 20)), "q9.ipynb has 17.0", "حجم q9.ipynb", False),
    "no rubric": (lambda f: (f / PUBLIC_RUBRIC).unlink(), "tests/rubric.json is missing", "rubric.json نیست", False),
}


@pytest.mark.parametrize("change, english, persian, unfinished", REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_handed_in_is_refused_with_the_reason_in_both_languages(
    change: Callable[[Path], object], english: str, persian: str, unfinished: bool, folder: Path
) -> None:
    change(folder)
    status, said = pack(folder)
    assert status == REFUSED and english in said and persian in said
    assert not list(folder.glob("*.zip*"))
    assert ("--anyway" in said) == unfinished
    assert pack(folder, "--anyway")[0] == (PACKED if unfinished else REFUSED)
    assert persian not in pack(folder, "--lang", "en")[1] and english not in pack(folder, "--lang", "fa")[1]


def test_the_bonus_may_be_left_out(folder: Path, assignment: Assignment) -> None:
    released = (RELEASE / "attacks.py").read_text("utf-8")
    mine = (folder / "attacks.py").read_text("utf-8")
    (folder / "attacks.py").write_text(
        mine[: mine.index("def pgd_attack")] + released[released.index("def pgd_attack") :], "utf-8"
    )
    assert "not written yet" in (folder / "attacks.py").read_text("utf-8")
    assert pack(folder)[0] == PACKED


def test_nothing_that_a_student_runs_needs_unix() -> None:
    unix = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
    for path in RELEASE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not unix & {name.split(".")[0] for name in names}, path


def test_what_is_public_of_the_rubric_is_no_more_than_students_need(assignment: Assignment) -> None:
    public = json.loads((RELEASE / PUBLIC_RUBRIC).read_text("utf-8"))
    units = {line.id: line for line in assignment.lines if line.kind == "unit"}
    assert {name: line["points"] for name, line in public["criteria"].items()} == {
        name: line.points for name, line in units.items()
    }
    assert public["notebooks"] == sorted(path.name for path in assignment.folder.glob("*.ipynb"))
    assert set(public) == {"criteria", "stubs", "notebooks", "provided"}
    assert str(assignment.seed) not in json.dumps(public)
