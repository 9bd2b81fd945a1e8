"""A whole term in a small course, with the commands that a teacher and students type: from the release to the grades.

The course is a copy of the checkout with one notebook, its two written questions, and no experiments.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autograder.judge.contestant import Isolation
from autograder.release import stale
from autograder.results import read_result

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
AUTOMATIC = 64
PERFECT, PARTIAL, HANGING = "810100001", "810100002", "810100003"
NOTEBOOK = "q1_a_base.ipynb"
QUESTIONS = {"q1_domain_gap": 2, "q1_seeds": 1}
LOST_BY_PARTIAL = 20 - 5
"""Points of ResNet18, which the partial hand-in leaves unwritten, but for the bonus that makes up for them."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def course(folder: Path) -> Path:
    """A checkout that holds a small course."""
    ignored = shutil.ignore_patterns("__pycache__", "corpus", "q*.ipynb", "results")
    for name in ("autograder", "report_template", "solutions"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("grade.py", "nbgrader_config.py"):
        shutil.copy(ROOT / name, folder / name)
    source = folder / "solutions" / "hw1"
    shutil.copy(ROOT / "solutions" / "hw1" / NOTEBOOK, source / NOTEBOOK)
    rubric = source / "grading" / "rubric.toml"
    head, *criteria = rubric.read_text("utf-8").split("[[criteria]]")
    ids = [re.search(r'id = "(.+)"', text) for text in criteria]
    kept = [
        text
        for text, found in zip(criteria, ids, strict=True)
        if found and not found[1].startswith("experiment.")
        if found and (not found[1].startswith("written.") or found[1].removeprefix("written.") in QUESTIONS)
    ]
    rubric.write_text("[[criteria]]".join([head, *kept]), "utf-8")
    points = source / "points.ipynb"
    points.write_text(points.read_text("utf-8").replace('"points": 80', f'"points": {AUTOMATIC}'), "utf-8")
    return folder


def runner(folder: Path, isolation: Isolation) -> Run:
    """Runs a command of the virtual environment in a course, as one types it; it must end with ``status``."""
    scripts = Path(sys.executable).parent
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "JUPYTER"))}
    environment |= {"HW1_IMAGES": "40", "OMP_NUM_THREADS": "1", "HOME": str(folder)}

    def run(program: str, *arguments: str, status: int = 0, cwd: Path = folder) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments] if program == "python" else [str(scripts / program), *arguments]
        if "autograde" in arguments:
            command.append(f"--ConfinedExecute.isolation={isolation}")
        if "grade.py" in arguments:
            command += [f"--isolation={isolation}", "--formats=none"]
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == status, f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    return run


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the cells of a notebook; ``change`` receives them by grade_id, or by their number."""
    notebook = json.loads(path.read_text("utf-8"))
    cells = notebook["cells"]
    change({cell["metadata"].get("nbgrader", {}).get("grade_id", number): cell for number, cell in enumerate(cells)})
    path.write_text(json.dumps(notebook), "utf-8")


def answers(**texts: str) -> Callable[[dict[str, Any]], None]:
    """Writes answers into the cells of questions."""

    def change(cells: dict[str, Any]) -> None:
        for question, text in texts.items():
            cells[question]["source"] = [text]

    return change


def first_code_cell(cells: dict[str, Any]) -> dict[str, Any]:
    cell: dict[str, Any] = next(cell for cell in cells.values() if cell["cell_type"] == "code")
    return cell


@pytest.fixture(scope="module")
def autograded(tmp_path_factory: pytest.TempPathFactory, isolation: Isolation) -> tuple[Path, Run]:
    """A course up to the autograding, with three students; what must hold on the way is asserted."""
    folder = course(tmp_path_factory.mktemp("term") / "course")
    run = runner(folder, isolation)
    source, release = folder / "solutions" / "hw1", folder / "assignment" / "hw1"

    run("nbgrader", "generate_assignment", "hw1")
    assert stale(source, release) == []  # nbgrader's command and the kit's own release agree
    run("nbgrader", "generate_assignment", "hw1")  # and it may be given twice
    assert stale(source, release) == []

    students = {number: folder.parent / "students" / number for number in (PERFECT, PARTIAL, HANGING)}
    for number, mine in students.items():
        shutil.copytree(release, mine)
        (mine / "student.toml").write_text(f'name = "نام {number}"\nnumber = "{number}"\n', "utf-8")
        assert "not written yet" in run("python", "pack.py", status=1, cwd=mine).stdout
        for module in ("attacks", "losses", "resnet") if number != PARTIAL else ("attacks", "losses"):
            shutil.copy(source / f"{module}.py", mine / f"{module}.py")
    for results, content in ((source / "results", b"the course's"), (students[PERFECT] / "results", b"mine")):
        results.mkdir()
        (results / "row.npz").write_bytes(content)
    edit(students[PERFECT] / NOTEBOOK, answers(q1_domain_gap="Colours. <script>alert(1)</script>", q1_seeds="Two."))
    edit(students[PARTIAL] / NOTEBOOK, answers(q1_domain_gap="Something"))
    edit(students[HANGING] / NOTEBOOK, answers(q1_domain_gap="The same", q1_seeds="As well"))

    def hang(cells: dict[str, Any]) -> None:
        first_code_cell(cells)["source"] = ["print('before', flush=True)\nwhile True:\n    pass"]

    edit(students[HANGING] / NOTEBOOK, hang)
    assert "VALIDATION FAILED" in run("nbgrader", "validate", NOTEBOOK, cwd=students[PARTIAL]).stdout
    archive = folder / "downloaded" / "hw1" / "archive"
    archive.mkdir(parents=True)
    refusal = run("python", "pack.py", "--lang", "en", status=1, cwd=students[PARTIAL]).stdout
    assert "ResNet18 is not written yet" in refusal and "q1_seeds is not answered yet" in refusal
    assert "NotImplementedError" not in refusal and "pgd_attack" not in refusal
    for mine in students.values():
        run("python", "pack.py", "--anyway", "--out", str(archive / f"hw1-{mine.name}.zip"), cwd=mine)
    run("nbgrader", "zip_collect", "hw1")
    for number in students:
        handed_in = {path.name for path in (folder / "submitted" / number / "hw1").iterdir()}
        assert {"attacks.py", "losses.py", "resnet.py", "student.toml", NOTEBOOK, "points.ipynb"} <= handed_in
    run("nbgrader", "autograde", "hw1", "--student", HANGING, "--ConfinedExecute.cell_s=3")
    run("nbgrader", "autograde", "hw1")
    return folder, run


@pytest.fixture
def term(autograded: tuple[Path, Run], tmp_path: Path, isolation: Isolation) -> tuple[Path, Run]:
    """A copy of that course, to be gone on with."""
    folder = tmp_path / "course"
    shutil.copytree(autograded[0], folder)
    return folder, runner(folder, isolation)


@contextmanager
def gradebook(folder: Path) -> Iterator[Any]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as opened:
        yield opened


def totals(folder: Path) -> dict[str, float]:
    with gradebook(folder) as book:
        return {submission.student.id: submission.score for submission in book.assignment_submissions("hw1")}


def scores(folder: Path) -> dict[str, tuple[float, float]]:
    """Score and pending points by student, as the kit has them."""
    results = [read_result(path) for path in sorted((folder / "out" / "hw1").glob("*/results.json"))]
    return {result.student.number: (result.score, result.pending) for result in results}


def outputs(folder: Path, student: str) -> list[dict[str, Any]]:
    notebook = json.loads((folder / "autograded" / student / "hw1" / NOTEBOOK).read_text("utf-8"))
    return [output for cell in notebook["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]


def test_the_term_ends_with_one_total_for_each_student(term: tuple[Path, Run]) -> None:
    folder, run = term
    automatic = {PERFECT: AUTOMATIC, PARTIAL: AUTOMATIC - LOST_BY_PARTIAL, HANGING: AUTOMATIC}

    # Autograded: the perfect notebook ran to its end, the hanging one was stopped, and cost nobody else anything.
    assert not [output for output in outputs(folder, PERFECT) if output["output_type"] == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs(folder, PERFECT))
    assert outputs(folder, HANGING)[0]["text"] == ["before\n"]
    assert outputs(folder, HANGING)[1]["ename"] == "CellTimeout"
    assert totals(folder) == {PERFECT: 0, PARTIAL: 0, HANGING: 0}
    for path in (folder / "autograded" / PARTIAL).rglob("*"):
        assert path.name not in ("grading", "corpus", "rubric.toml")
    assert (folder / "autograded" / PERFECT / "hw1" / "results" / "row.npz").read_bytes() == b"mine"
    assert outputs(folder, PARTIAL)[-1]["output_type"] == "error"
    assert "raise NotImplementedError" in (folder / "autograded" / PARTIAL / "hw1" / "resnet.py").read_text("utf-8")
    assert "<script>" not in (folder / "autograded" / PERFECT / "hw1" / NOTEBOOK).read_text("utf-8")

    # The judge's points: in results.json, and from there in the gradebook.
    archive, out = "downloaded/hw1/archive", "out/hw1"
    run("python", "grade.py", "--submissions", archive, "--out", out)
    assert scores(folder) == {number: (points, 3) for number, points in automatic.items()}
    run("python", "-m", "autograder", "gradebook", out)
    assert totals(folder) == automatic

    # Marked by hand, all but one answer; what was left as handed out is marked by nbgrader, with nothing.
    marks = {(PERFECT, "q1_domain_gap"): 2.0, (PERFECT, "q1_seeds"): 1.0, (PARTIAL, "q1_domain_gap"): 0.5}
    marks[HANGING, "q1_domain_gap"] = 1.5
    with gradebook(folder) as book:
        for (student, question), points in marks.items():
            grade = book.find_grade(question, Path(NOTEBOOK).stem, "hw1", student)
            grade.manual_score, grade.needs_manual_grade = points, False
        comment = book.find_comment("q1_domain_gap", Path(NOTEBOOK).stem, "hw1", HANGING)
        comment.manual_comment = "خوب دیده شده، but not measured"
        book.db.commit()
    run("python", "grade.py", "--submissions", archive, "--out", out, "--resume", "--marks", "gradebook.db")
    expected = {PERFECT: AUTOMATIC + 3.0, PARTIAL: automatic[PARTIAL] + 0.5, HANGING: AUTOMATIC + 1.5}
    assert scores(folder) == {
        PERFECT: (expected[PERFECT], 0),
        PARTIAL: (expected[PARTIAL], 0),
        HANGING: (expected[HANGING], 1),
    }
    assert totals(folder) == expected
    mine = f"hw1-{HANGING}.zip"
    stored = read_result(folder / out / mine)
    told = {criterion.id: criterion.message.fa for criterion in stored.criteria if criterion.kind == "manual"}
    assert told["written.q1_domain_gap"] == "خوب دیده شده، but not measured"

    # Graded anew without marks at hand, the marks stay.
    run("python", "grade.py", "--submission", f"{archive}/{mine}", "--out", f"{out}/{mine}")
    assert scores(folder)[HANGING] == (expected[HANGING], 1)

    # Feedback and export tell the same total, and the kit's report is made of it.
    run("nbgrader", "generate_feedback", "hw1")
    feedback = (folder / "feedback" / HANGING / "hw1" / f"{Path(NOTEBOOK).stem}.html").read_text("utf-8")
    assert "but not measured" in feedback and "longer than 3 seconds" in feedback
    run("nbgrader", "export", "--to", "grades.csv")
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {number: float(row["score"]) for number, row in rows.items()} == expected
    assert {float(row["max_score"]) for row in rows.values()} == {AUTOMATIC + 3}
    run("python", "-m", "autograder", "report", f"{out}/{mine}", "--formats", "html")
    assert (folder / out / mine / "report.html").is_file()


@contextmanager
def jupyter(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Jupyter's server in a course, as a teacher starts it; gives the address that its formgrader is at."""
    command = [str(Path(sys.executable).parent / "jupyter"), "server", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--IdentityProvider.token=word"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 300  # a cold machine under load
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/", (folder / "server.log").read_text())):
            assert server.poll() is None and time.monotonic() < deadline, (folder / "server.log").read_text()[-2000:]
            time.sleep(0.2)
        yield found[0]
    finally:
        server.terminate()
        server.wait()


@contextmanager
def browser(profile: Path) -> Iterator[Any]:
    """A Chromium without a window."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("chromium and its driver are not installed (Debian: chromium, chromium-driver)")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    for flag in ("disable-component-update", "disable-sync", "disable-dev-shm-usage", f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    opened = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield opened
    finally:
        opened.quit()


def test_a_mark_given_in_formgrader_arrives_in_the_result(term: tuple[Path, Run], tmp_path: Path) -> None:
    folder, run = term
    with gradebook(folder) as book:
        submission = book.find_submission_notebook(Path(NOTEBOOK).stem, "hw1", PERFECT).id
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
    environment |= {"HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    with browser(tmp_path / "profile") as page, jupyter(folder, environment) as address:
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(page, 120)
        page.get(f"{address}login?token=word")
        page.get(f"{address}formgrader/gradebook/hw1/{Path(NOTEBOOK).stem}/")
        wait.until(lambda page: submission in page.page_source)
        page.get(f"{address}formgrader/submissions/{submission}/")
        box = wait.until(lambda page: page.find_element(By.ID, "q1_domain_gap"))
        loaded = (
            "return typeof formgrader !== 'undefined' && formgrader.grades?.loaded && formgrader.comments?.loaded"
        )
        wait.until(lambda page: page.execute_script(loaded))  # what is typed before would be overwritten
        # The student's script is text here: it neither ran nor may it.
        answer = page.find_element(By.XPATH, "//*[contains(text(), 'Colours.')]")
        assert "<script>alert(1)</script>" in answer.text
        box.send_keys("1.5")
        comment = page.find_element(By.ID, "q1_domain_gap-comment")
        comment.click()
        comment.send_keys("well seen")
        page.execute_script("document.activeElement.blur()")

        def saved(page: Any) -> bool:
            with gradebook(folder) as book:
                stem = Path(NOTEBOOK).stem
                score = book.find_grade("q1_domain_gap", stem, "hw1", PERFECT).manual_score
                return bool(score == 1.5 and book.find_comment("q1_domain_gap", stem, "hw1", PERFECT).manual_comment)

        wait.until(saved)
    hand_in = f"downloaded/hw1/archive/hw1-{PERFECT}.zip"
    run("python", "grade.py", "--submission", hand_in, "--out", "out/one", "--marks", "gradebook.db")
    result = read_result(folder / "out" / "one")
    [mark] = [criterion for criterion in result.criteria if criterion.id == "written.q1_domain_gap"]
    assert (mark.points, mark.status, mark.message.en) == (1.5, "failed", "well seen")
    assert (result.score, result.pending) == (AUTOMATIC + 1.5, 1)


def test_nbgrader_does_nothing_where_its_settings_fail(tmp_path: Path) -> None:
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    submitted = tmp_path / "submitted" / "1" / "hw1"
    submitted.mkdir(parents=True)
    shutil.copy(ROOT / "assignment" / "hw1" / NOTEBOOK, submitted)
    command = [str(Path(sys.executable).parent / "nbgrader"), "autograde", "hw1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "nbgrader_config.py: No module named 'autograder'" in done.stderr
    assert not (tmp_path / "autograded").exists() and not (tmp_path / "gradebook.db").exists()
