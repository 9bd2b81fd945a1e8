"""The command line as its users call it: exit codes, one-line errors, and what is left on disk."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from autograder import cli, experiments
from autograder.assignment import load
from autograder.judge.contestant import Isolation
from autograder.results import Experiment, Result, json_schema, read_result

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "tests" / "samples" / "mixed"


def grade(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "grade.py"), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--submission", "nowhere"],
        ["--submissions", "nowhere"],
        ["--submission", "x", "--submissions", "y"],
        ["--submission", ".", "--formats", "doc"],
        ["--submission", ".", "--lang", "de"],
        ["--submission", ".", "--only", "NoSuchStub"],
        ["--submission", ".", "--only", "experiments", "--experiment", "no_such"],
        ["--submission", ".", "--only", "unit", "--experiment", "circle"],
        ["--submission", ".", "--jobs", "-1"],
        ["--submission", ".", "--data", "nowhere"],
        ["--submission", ".", "--assignment", "hw99"],
        ["--submission", "empty"],
        ["--submission", "text.zip"],
        ["--submissions", "empty"],
    ],
    ids=" ".join,
)
def test_a_callers_mistake_is_one_line_and_exit_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("text.zip").write_text("no archive")
    try:
        code = cli.grade_main([*arguments, "--isolation", "none"])
    except SystemExit as end:
        code = int(str(end.code))
    told = capfd.readouterr()
    assert code == 2
    assert len(told.err.strip().splitlines()) == 1 and "Traceback" not in told.err + told.out
    assert not Path("out").exists()


def test_grading_one_writes_the_result_and_prints_the_verdict(tmp_path: Path, isolation: Isolation) -> None:
    done = grade(
        "--submission", SAMPLE, "--only", "unit", "--formats", "none", "--isolation", isolation, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "score 49 of 64" in done.stdout and "circle.gradient" in done.stdout
    result = read_result(tmp_path / "out" / "mixed")
    assert result.student.name == "سارا رضایی"
    assert result.isolation.level == isolation
    assert isolation == "none" or "seccomp" in result.isolation.features


def test_fail_under_is_exit_1(tmp_path: Path, isolation: Isolation) -> None:
    common = ["--submission", SAMPLE, "--only", "fgsm_attack", "--formats", "none", "--isolation", isolation]
    assert cli.grade_main([*map(str, common), "--out", str(tmp_path / "a"), "--fail-under", "7"]) == 0
    assert cli.grade_main([*map(str, common), "--out", str(tmp_path / "b"), "--fail-under", "7.5"]) == 1


def test_a_fault_of_the_graders_is_exit_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("autograder.grading.take_in", broken)
    out = tmp_path / "out"
    assert cli.grade_main(["--submission", str(SAMPLE), "--out", str(out), "--isolation", "none"]) == 3
    assert len(capfd.readouterr().err.strip().splitlines()) == 1
    assert "ZeroDivisionError" in (out / "grader-fault.txt").read_text()


def test_a_class_is_graded_and_one_bad_hand_in_costs_nobody_else(tmp_path: Path, isolation: Isolation) -> None:
    room = tmp_path / "class"
    shutil.copytree(SAMPLE, room / "sara")
    shutil.make_archive(str(room / "ali"), "zip", SAMPLE)
    (room / "broken.zip").write_text("no archive")
    (room / "empty").mkdir()
    common = ["--submissions", str(room), "--out", str(tmp_path / "out"), "--only", "fgsm_attack"]
    common += ["--formats", "none", "--isolation", isolation]
    assert cli.grade_main(common) == 0
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["hand_in"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"sara", "ali.zip", "broken.zip", "empty"}
    assert rows["sara"]["score"] == rows["ali.zip"]["score"] == "7.0"
    assert rows["broken.zip"]["score"] == rows["empty"]["score"] == "0" and rows["empty"]["problem"]
    first = read_result(tmp_path / "out" / "sara").finished
    assert cli.grade_main([*common, "--resume"]) == 0
    assert read_result(tmp_path / "out" / "sara").finished == first


def test_a_name_that_is_a_formula_stays_text(tmp_path: Path, isolation: Isolation) -> None:
    room = tmp_path / "class"
    shutil.copytree(SAMPLE, room / "eve")
    (room / "eve" / "student.toml").write_text('name = "=HYPERLINK(1)"\nnumber = "-2"\n')
    arguments = ["--submissions", str(room), "--out", str(tmp_path / "out"), "--only", "fgsm_attack"]
    assert cli.grade_main([*arguments, "--formats", "html", "--lang", "en", "--isolation", isolation]) == 0
    assert "'=HYPERLINK(1)" in (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8-sig")
    # The report on the class shows the name as it is, and leads to the hand-in's own.
    page = (tmp_path / "out" / "class.html").read_text(encoding="utf-8")
    assert ">=HYPERLINK(1)<" in page and 'href="eve/report.html?lang=en"' in page
    assert (tmp_path / "out" / "eve" / "report.html").exists()


def descendants(pid: int) -> list[int]:
    """The processes that a process started, those that they started, and so on."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [found for child in map(int, children.split()) for found in (child, *descendants(child))]


def busy_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def wait_until(happened: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


STUCK = {
    "unit": ("attacks.py", "def fgsm_attack(*arguments):\n    while True:\n        pass\n"),
    "base": ("resnet.py", "def ResNet18(**options):\n    while True:\n        pass\n"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("stage", STUCK)
def test_a_grading_that_is_stopped_leaves_nothing_behind(
    stage: str, number: signal.Signals, tmp_path: Path, isolation: Isolation
) -> None:
    """By Control-C, which a terminal sends to the whole group and people press again, or by a batch system, which may
    know one process, and may tell its group too."""
    work = tmp_path / "work"
    shutil.copytree(ROOT / "solutions" / "hw1", work, ignore=shutil.ignore_patterns("corpus", "grading", "tests"))
    file, text = STUCK[stage]
    (work / file).write_text(text)
    only = ["--only", "fgsm_attack"] if stage == "unit" else ["--only", "experiments", "--experiment", stage]
    grading = subprocess.Popen(
        [sys.executable, str(ROOT / "grade.py"), "--submission", "work", *only, "--isolation", isolation],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )

    def stuck() -> bool:
        """Whether a contestant computes: they are what descends from a zygote."""
        zygotes = [pid for pid in descendants(grading.pid) if "zygote.py" in command_line(pid)]
        return any(busy_s(pid) > 0.5 for zygote in zygotes for pid in descendants(zygote))

    try:
        wait_until(stuck)
        started = descendants(grading.pid)
        if number == signal.SIGTERM:
            grading.send_signal(number)
        for _ in range(3):
            with suppress(ProcessLookupError):
                os.killpg(grading.pid, number)
            time.sleep(0.05)
        _, told = grading.communicate(timeout=60)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
    finally:
        if grading.poll() is None:
            grading.kill()
            grading.communicate()
    assert (grading.returncode, told) == (cli.INTERRUPTED, "grade.py: interrupted\n")
    assert not (tmp_path / "out" / "work" / "results.json").exists()
    assert not list(tmp_path.glob("mizan-*")), "a scratch was left"


def test_the_published_schema_is_that_of_the_code() -> None:
    published = ROOT / "docs" / "results.schema.json"
    assert published.read_text(encoding="utf-8") == json_schema()
    assert (
        json.loads(json_schema())["properties"]["schema_version"]["const"]
        == Result.model_fields["schema_version"].default
    )


def test_a_report_is_rendered_again_where_there_is_no_torch(tmp_path: Path) -> None:
    blocked = (
        "import sys; sys.modules['torch'] = None; from autograder.cli import main; "
        "from tests.sample_result import write_sample; from pathlib import Path; "
        "folder = write_sample(Path(sys.argv[1])); sys.exit(main(['report', str(folder), '--formats', 'html']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("report.html"))


def test_experiments_are_run_alone_and_not_again_when_resumed(
    tmp_path: Path, isolation: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def perform(orders: list[experiments.Order], *others: object) -> Iterator[Any]:
        asked.append([order.experiment for order in orders])
        for order in orders:
            data = experiments.data_name(load(), order.experiment, order.profile, order.data)
            yield order, Experiment(id=order.experiment, data=data, metrics={"clean": 0.5}), {}

    monkeypatch.setattr(experiments, "perform", perform)
    common = ["--submission", str(SAMPLE), "--out", str(tmp_path), "--formats", "none", "--isolation", isolation]
    common += ["--only", "experiments", "--resume"]
    assert cli.grade_main([*common, "--experiment", "circle", "--experiment", "adversarial"]) == 0
    result = read_result(tmp_path)
    assert [record.id for record in result.experiments] == ["adversarial", "circle"]
    assert [criterion.id for criterion in result.criteria] == ["experiment.circle"]
    assert isolation == "none" or "seccomp" in result.isolation.features
    assert cli.grade_main([*common, "--experiment", "adversarial", "--experiment", "circle"]) == 0
    assert len(asked) == 1
    assert cli.grade_main([*common, "--experiment", "all"]) == 0
    assert len(asked[1]) == len(load().module("experiments").EXPERIMENTS)
    assert cli.grade_main(common) == 0
    assert sorted(asked[2]) == sorted(load().experiments)
