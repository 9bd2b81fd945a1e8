"""Written answers: read from any notebook that is handed in, told where they cannot be, and worth no fault."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console

from autograder import answers, terminal
from autograder.assignment import Assignment, AssignmentError
from autograder.grading import MAX_ANSWERS, Grader, Options
from autograder.intake import MAX_NOTEBOOKS_BYTES, take_in
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants, Isolation
from autograder.marks import Mark, Marks
from autograder.release import clear_notebook
from autograder.results import Answer, Criterion, read_result
from tests.sample_result import sample

NOTEBOOK, CELL, CRITERION = "q1_a_base.ipynb", "q1_domain_gap", "written.q1_domain_gap"
OTHER = "written.q1_seeds"


def notebook(*sources: Any, name: str = CELL, kind: str = "markdown") -> bytes:
    """A notebook with these sources in cells of that name."""
    cells = [
        {"cell_type": kind, "metadata": {"nbgrader": {"grade_id": name, "solution": True}}, "source": source}
        for source in sources
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def grader(assignment: Assignment, judge: Judge, contestants: Contestants, isolation: Isolation) -> Grader:
    """Grades the written answers alone: no stub is judged, so that it takes no time."""
    lines = tuple(line for line in assignment.lines if line.kind == "manual")
    return Grader(replace(assignment, lines=lines), judge, contestants, Options(isolation=isolation))


@pytest.fixture
def answer(grader: Grader, hand_in: Callable[..., Path], tmp_path: Path) -> Callable[..., Answer]:
    """What the Result holds of an answer where this is the notebook of a hand-in."""

    def graded(content: bytes | None, criterion: str = CRITERION) -> Answer:
        path = tmp_path / "hand_in"
        if not path.exists():
            hand_in()
        (path / NOTEBOOK).unlink(missing_ok=True)
        if content is not None:
            (path / NOTEBOOK).write_bytes(content)
        result = grader.grade(grader.take_in(path), tmp_path / "out")
        assert not result.faults and read_result(tmp_path / "out") == result
        return of(result.criteria, criterion)

    return graded


def of(criteria: list[Criterion], name: str = CRITERION) -> Answer:
    """The answer of a criterion."""
    (criterion,) = [each for each in criteria if each.id == name]
    assert criterion.written is not None
    return criterion.written.answer


def test_every_question_has_its_texts_in_both_languages(assignment: Assignment) -> None:
    marked = [line for line in assignment.lines if line.kind == "manual"]
    assert set(assignment.questions) == {line.id for line in marked}
    for line in marked:
        question = assignment.questions[line.id]
        for text in (question.text, question.rubric, question.model, question.marking):
            for words in (text.en, text.fa):
                assert words and not [sign for sign in ("**", "`", "<bdi", "</", "SOLUTION", "###") if sign in words]
        assert question.rubric.en not in question.text.en and question.marking.fa not in question.model.fa


def test_what_was_handed_out_is_no_answer(assignment: Assignment, answer: Callable[..., Answer]) -> None:
    released = clear_notebook((assignment.folder / NOTEBOOK).read_text("utf-8"), NOTEBOOK).encode()
    assert answer(released) == Answer(state="unanswered")
    assert answer(notebook(" \n")).state == "unanswered"
    written = released.replace(b"YOUR ANSWER HERE", "شکل خط‌ها".encode(), 1)
    assert answer(written) == Answer(state="answered", text="شکل خط‌ها")
    assert answer(written, OTHER).state == "unanswered"


@pytest.mark.parametrize(
    "content",
    [
        notebook("the answer"),
        notebook(["the ", "answer\n"]),
        notebook("\r\nthe answer", kind="code"),
        notebook("the answer", kind="no kind at all"),
        b"\xef\xbb\xbf" + notebook("the answer"),
        notebook(3, ["the answer", 3], {"a": 1}, None, "the answer"),
        notebook("the answer").replace(b'"metadata": {},', b'"metadata": {"x": NaN, "y": 1e999},'),
        notebook("the answer").replace(
            b'"cells": [', b'"cells": [null, 3, [], {}, {"metadata": {"nbgrader": "x"}}, '
        ),
    ],
)
def test_an_answer_is_found_in_whatever_cell_bears_its_name(content: bytes, answer: Callable[..., Answer]) -> None:
    assert answer(content).text == "the answer"


@pytest.mark.parametrize(
    "content, told",
    [
        (None, "q1_a_base.ipynb is not in the hand-in"),
        (b"", "no notebook that can be opened"),
        (b"\x80\x04cos\nsystem\n", "no notebook that can be opened"),
        (notebook("x").decode().encode("utf-16"), "no notebook that can be opened"),
        (b"{'cells': []}", "no notebook that can be opened"),
        (b"[]", "no notebook that can be opened"),
        (b'{"cells": {"source": "x"}}', "no notebook that can be opened"),
        (b'{"cells": ' + b"9" * 5000 + b"}", "no notebook that can be opened"),
        (b'{"cells": ' + b"[" * 200_000, "no notebook that can be opened"),
        (b'{"cells": ' + b'{"a":' * 200_000, "no notebook that can be opened"),
        (b'{"cells": [' + b"[]," * 1_000_000 + b"0]}", "too large"),
        (b'{"cells": []}' + b" " * answers.MAX_NOTEBOOK_BYTES, "too large"),
        (notebook("x" * (100 << 20)), "too large"),
        (notebook(), "has no cell q1_domain_gap"),
        (notebook("x", name="another"), "has no cell q1_domain_gap"),
        (notebook(3), "has no cell q1_domain_gap"),
    ],
)
def test_where_there_is_none_to_be_read_that_is_told_in_both_languages(
    content: bytes | None, told: str, answer: Callable[..., Answer]
) -> None:
    found = answer(content)
    assert (found.state, found.text) == ("unread", "") and told in found.note.en and found.note.fa
    assert "\n" not in found.note.en + found.note.fa


def test_a_long_answer_is_cut_and_told(answer: Callable[..., Answer]) -> None:
    found = answer(notebook("آ" * 50_000))
    assert (len(found.text), found.left_out) == (answers.MAX_LETTERS, 50_000 - answers.MAX_LETTERS)
    found = answer(notebook("a\n" * 50_000))
    assert found.text == "a\n" * (answers.MAX_LINES - 1) + "a"
    assert len(found.text) + found.left_out == 99_999
    assert answer(notebook("a" * answers.MAX_LETTERS)).left_out == 0


def test_all_answers_together_are_cut(
    grader: Grader, hand_in: Callable[..., Path], tmp_path: Path, assignment: Assignment
) -> None:
    path = hand_in()
    for question in assignment.questions.values():
        long = json.loads(notebook("x" * 20_000, name=question.cell))
        if (path / question.notebook).exists():
            long["cells"] += json.loads((path / question.notebook).read_bytes())["cells"]
        (path / question.notebook).write_text(json.dumps(long), "utf-8")
    found = [of(grader.grade(grader.take_in(path), tmp_path / "out").criteria, name) for name in assignment.questions]
    assert sum(len(each.text) for each in found) == MAX_ANSWERS
    assert all(len(each.text) + each.left_out == 20_000 for each in found)


def test_a_cell_that_is_there_twice_is_shown_twice_and_told(answer: Callable[..., Answer]) -> None:
    found = answer(notebook("first", "YOUR ANSWER HERE", "second", "first"))
    assert found.text.split() == ["first", "⁂", "second"]
    assert "more than one cell q1_domain_gap" in found.note.en and "q1_domain_gap" in found.note.fa
    assert answer(notebook("same", "same")).text == "same"
    assert len(answer(notebook(*map(str, range(10_000)))).text.split()) == 2 * answers.MAX_COPIES - 1


def test_letters_that_cannot_be_written_are_replaced(answer: Callable[..., Answer]) -> None:
    assert answer(notebook("\ud800 half")).text == "\ufffd half"
    assert answer(notebook("<script> \u202e\x00")).text == "<script> \u202e\x00"  # whoever shows it disarms it


def packed(path: Path, members: dict[str, bytes]) -> Path:
    """A zip or a tar.gz of these members."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_notebooks_are_found_in_archives_beside_the_stubs(tmp_path: Path, assignment: Assignment, kind: str) -> None:
    large = notebook("beside", "x" * (6 << 20))  # stored as it is, and read in parts
    members = {
        "a/hw1/losses.py": b"",
        NOTEBOOK: notebook("above"),
        f"a/hw1/.ipynb_checkpoints/{NOTEBOOK}": notebook("a checkpoint"),
        f"a/hw1/{NOTEBOOK}": large,
        f"a/hw1/more/{NOTEBOOK}": notebook("below"),
        "a/hw1/mine.ipynb": notebook("not asked for"),
        f"../{NOTEBOOK}": notebook("elsewhere"),
    }
    taken = take_in(packed(tmp_path / f"work.{kind}", members), assignment)
    assert set(taken.notebooks) == {NOTEBOOK} and set(taken.files) == {"losses.py"}
    assert [each.text[:6] for each in taken.notebooks[NOTEBOOK].cells[CELL]] == ["beside", "xxxxxx"]
    del members[f"a/hw1/{NOTEBOOK}"]
    taken = take_in(packed(tmp_path / f"other.{kind}", members), assignment)
    assert taken.notebooks[NOTEBOOK].cells[CELL][0].text == "above"


def test_notebooks_without_end_are_not_read(tmp_path: Path, assignment: Assignment) -> None:
    large = notebook("x" * (15 << 20))
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("losses.py", b"")
        for number in range(12):
            archive.writestr(f"{number:02}/{NOTEBOOK}", large)
        archive.writestr(NOTEBOOK, notebook("late"))
    taken = take_in(path, assignment)
    assert 4 * len(large) > MAX_NOTEBOOKS_BYTES
    assert taken.notebooks[NOTEBOOK].problem == "too large"


def test_a_link_in_a_notebooks_place_is_not_followed(
    tmp_path: Path, assignment: Assignment, hand_in: Callable[..., Path]
) -> None:
    path = hand_in()
    (tmp_path / "another's.ipynb").write_bytes(notebook("another's"))
    (path / NOTEBOOK).symlink_to(tmp_path / "another's.ipynb")
    assert take_in(path, assignment).notebooks == {}


def test_answers_cost_no_verdict_and_are_kept_through_marks_and_resumption(
    grader: Grader, hand_in: Callable[..., Path], tmp_path: Path
) -> None:
    path, out = hand_in(), tmp_path / "out"
    before = grader.grade(grader.take_in(path), out)
    (path / NOTEBOOK).write_bytes(notebook("written later"))
    taken = grader.take_in(path)
    resumed = grader.resumed(taken, out)
    assert resumed is not None and resumed.submission == before.submission
    assert of(resumed.criteria).text == "written later" and read_result(out) == resumed
    given = Marks([Mark("hand_in", CRITERION, 1.5, "well said")], grader.assignment)
    marked = replace(grader, options=replace(grader.options, marks=given)).grade(taken, out)
    for result in (marked, grader.grade(taken, out), grader.resumed(taken, out)):
        assert result is not None and of(result.criteria).text == "written later" and result.score == 1.5
        (criterion,) = [each for each in result.criteria if each.id == CRITERION]
        assert (criterion.mark, criterion.message.en) == ("part", "well said")


def test_what_was_not_judged_is_in_the_result_with_its_reason(
    grader: Grader, hand_in: Callable[..., Path], tmp_path: Path, assignment: Assignment
) -> None:
    whole = replace(grader, assignment=assignment, options=replace(grader.options, only="no stub at all"))
    result = whole.grade(whole.take_in(hand_in()), tmp_path / "out")
    skipped = {each.id: each for each in result.skipped}
    assert {line.id for line in assignment.lines} <= set(skipped) and not result.criteria
    assert "--only" in skipped["fgsm.step"].reason.en and "--only" in skipped["fgsm.step"].reason.fa
    registry = assignment.module("experiments").EXPERIMENTS
    assert set(skipped) - {line.id for line in assignment.lines} == set(registry) - set(assignment.experiments)
    assert "--experiment adam" in skipped["adam"].reason.en and skipped["adam"].title.fa == registry["adam"].title.fa


def test_a_terminal_tells_marks_in_points_and_calls_nothing_failed_that_a_human_marked() -> None:
    result = sample()
    result.criteria = [each for each in result.criteria if each.kind == "manual"]
    result.experiments, result.diagnoses = [], []
    console = Console(file=io.StringIO(), width=200)
    terminal.verdict(result, [], console)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    rows = {row.split("│")[1].strip(): row for row in told.splitlines() if row.count("│") > 3}
    assert "failed" not in told and "passed" not in told
    for name, words, points in (
        ("written.q2_doubtful_figure", "full points", "5/5"),
        ("written.q2_clean_and_attacked", "part of the points", "2.5/3"),
        ("written.q2_circle_gradient", "no points", "0/2"),
        ("written.q1_seeds", "pending", "0/3"),
    ):
        assert words in rows[name] and points in rows[name]


def test_a_course_notebook_that_is_none_is_the_authors_mistake(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "q.ipynb").write_text("no JSON", "utf-8")
    with pytest.raises(AssignmentError, match=r"q\.ipynb: is no notebook"):
        _ = replace(assignment, folder=tmp_path).questions


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([CELL, NOTEBOOK]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "metadata", "nbgrader", "grade_id", "source", "cell_type"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)
CELLS = st.lists(
    st.fixed_dictionaries(
        {"source": JSON, "metadata": JSON | st.just({"nbgrader": {"grade_id": CELL}})}, optional={"cell_type": JSON}
    ),
    max_size=4,
)
# Generated anew from the same seed each time; a failure is told as it is, since shrinking takes long.
QUICKLY = settings(max_examples=150, deadline=None, derandomize=True, phases=[Phase.generate])


@QUICKLY
@given(
    st.binary(max_size=60) | (JSON | CELLS.map(lambda cells: {"cells": cells})).map(lambda x: json.dumps(x).encode())
)
def test_any_bytes_are_a_notebook_or_none(content: bytes) -> None:
    found = answers.read(content, {CELL})
    assert found.problem in ("", "unreadable") and set(found.cells) <= {CELL}
    for copies in found.cells.values():
        assert 1 <= len(copies) <= answers.MAX_COPIES
        assert all(Answer(state="answered", text=each.text).model_dump_json() for each in copies)


@QUICKLY
@given(text=st.text(max_size=60), letters=st.integers(0, 70), lines=st.integers(1, 9))
def test_a_text_is_cut_at_its_end_alone(text: str, letters: int, lines: int) -> None:
    kept = answers.cut(text, letters, lines)
    assert text.strip().startswith(kept.text) and len(kept.text) <= letters and kept.text.count("\n") < lines
    assert len(kept.text) + kept.left_out == len(text.strip())


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_STORED], ids=["unusual packing", "damaged"])
def test_a_notebook_that_cannot_be_unpacked_costs_its_answers_alone(
    packing: int, tmp_path: Path, assignment: Assignment
) -> None:
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("losses.py", "x = 1")
        archive.writestr(NOTEBOOK, notebook("typed by hand"), packing)
    path.write_bytes(path.read_bytes().replace(b"typed by hand", b"typed by HAND"))
    taken = take_in(path, assignment)
    assert set(taken.files) == {"losses.py"}
    assert taken.notebooks[NOTEBOOK].problem == "unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_notebook_that_may_not_be_read_costs_its_answers_alone(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "losses.py").write_text("x = 1")
    (tmp_path / NOTEBOOK).write_bytes(notebook("typed by hand"))
    (tmp_path / NOTEBOOK).chmod(0)
    taken = take_in(tmp_path, assignment)
    assert set(taken.files) == {"losses.py"}
    assert taken.notebooks[NOTEBOOK].problem == "unreadable"
