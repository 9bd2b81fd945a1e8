"""Humans' marks: what is taken, what is told, and that none is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.cli import CALLER, OK, grade_main
from autograder.gradebook import read
from autograder.grading import Grader, Options
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants, Isolation
from autograder.marks import Mark, Marks, MarksError, kept, read_marks, with_marks
from autograder.results import Result, Text, read_result

CRITERION = "written.q1_domain_gap"


def marks(assignment: Assignment, *given: tuple[str, str, float]) -> Marks:
    return Marks([Mark(*each, where="here") for each in given], assignment)


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "marks.csv"
        path.write_text(text, "utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    "text",
    [
        f'student,criterion,points,comment\n1,{CRITERION},1.5,"well, said"\n',
        f"\ufeffStudent;Criterion;Points;Comment\r\n1;{CRITERION};1,5;well\r\n;;;\r\n",
        f"points\tcriterion\tstudent\n۱٫۵\t{CRITERION}\t1\n",
    ],
    ids=["commas", "a spreadsheet's", "Persian digits"],
)
def test_a_table_of_marks_is_read_as_spreadsheets_write_it(
    text: str, csv_file: Callable[[str], str], assignment: Assignment
) -> None:
    assert read_marks(csv_file(text), assignment).of("1", "")[CRITERION].points == 1.5


def test_a_toml_file_of_marks_is_read(tmp_path: Path, assignment: Assignment) -> None:
    path = tmp_path / "marks.toml"
    path.write_text(f'[[marks]]\nstudent = "1"\ncriterion = "{CRITERION}"\npoints = 2\ncomment = "آفرین"\n', "utf-8")
    mark = read_marks(str(path), assignment).of("hw1-1.zip", "1")[CRITERION]
    assert (mark.points, mark.comment) == (2, "آفرین")


@pytest.mark.parametrize(
    "text, told",
    [
        ("student,criterion\n1,x\n", "no column points"),
        (f"student,criterion,points\n1,{CRITERION},2.5\n", "line 2: 2.5 points"),
        (f"student,criterion,points\n1,{CRITERION},-1\n", "line 2: -1 points"),
        (f"student,criterion,points\n1,{CRITERION},nan\n", "'nan' is no number"),
        (f"student,criterion,points\n1,{CRITERION},\n", "'' is no number"),
        (f"student,criterion,points\n,{CRITERION},1\n", "needs a student"),
        ("student,criterion,points\n1,circle.value,1\n", "judged, not marked by a human"),
        ("student,criterion,points\n1,written.q9,1\n", "is no criterion"),
        (f"student,criterion,points\n1,{CRITERION},1\n1,{CRITERION},2\n", "two marks"),
    ],
)
def test_what_is_wrong_with_marks_is_told(
    text: str, told: str, csv_file: Callable[[str], str], assignment: Assignment
) -> None:
    with pytest.raises(MarksError, match=told):
        read_marks(csv_file(text), assignment)


def test_the_same_mark_twice_is_no_conflict_and_two_names_of_one_student_may_be(assignment: Assignment) -> None:
    both = marks(assignment, ("1", CRITERION, 1), ("1", CRITERION, 1), ("ali", CRITERION, 2), ("3", CRITERION, 0))
    assert both.of("other", "1")[CRITERION].points == 1
    assert both.of("hw1-1.zip", "۱")[CRITERION].points == 1
    with pytest.raises(MarksError, match=r"1 and ali, who are one: two marks"):
        both.of("ali.tar.gz", "1")
    assert both.unused == ["3"]


@pytest.mark.parametrize("name", ["marks.xlsx", "none.csv", "none.toml", "none.db", "sqlite:////none/none.db"])
def test_a_file_that_holds_no_marks_is_told_of_and_none_is_made(
    name: str, tmp_path: Path, assignment: Assignment
) -> None:
    with pytest.raises(MarksError):
        read_marks(name if "://" in name else str(tmp_path / name), assignment)
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_no_gradebook_is_told_of(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "gradebook.db").write_bytes(b"not a database at all, and longer than a header" * 10)
    with pytest.raises(MarksError):
        read(str(tmp_path / "gradebook.db"), assignment)


class Small:
    """Gradings of the written answers alone: no stub is judged, so that they take no time."""

    def __init__(self, assignment: Assignment, judge: Judge, contestants: Contestants, isolation: Isolation) -> None:
        lines = tuple(line for line in assignment.lines if line.kind == "manual")
        self.assignment = replace(assignment, lines=lines)
        self.grader = Grader(self.assignment, judge, contestants, Options(isolation=isolation))

    def grade(self, path: Path, out: Path, given: Marks | None = None) -> Result:
        grader = replace(self.grader, options=replace(self.grader.options, marks=given))
        return grader.grade(grader.take_in(path), out)

    def resumed(self, path: Path, out: Path, given: Marks | None = None) -> Result | None:
        grader = replace(self.grader, options=replace(self.grader.options, marks=given))
        return grader.resumed(grader.take_in(path), out)


@pytest.fixture
def small(assignment: Assignment, judge: Judge, contestants: Contestants, isolation: Isolation) -> Small:
    return Small(assignment, judge, contestants, isolation)


def test_marks_reach_the_result_and_stay_when_it_is_made_again(
    small: Small, hand_in: Callable[..., Path], tmp_path: Path
) -> None:
    path, out = hand_in(), tmp_path / "out"
    first = small.grade(path, out)
    assert (first.score, first.pending) == (0, 20)
    given = Marks(
        [Mark("hand_in", CRITERION, 1.5, "almost"), Mark("hand_in", "written.q1_seeds", 1)], small.assignment
    )
    marked = small.grade(path, out, given)
    by_id = {criterion.id: criterion for criterion in marked.criteria}
    assert (marked.score, marked.pending) == (2.5, 17)
    assert (by_id[CRITERION].status, by_id[CRITERION].message) == ("failed", Text(en="almost", fa="almost"))
    assert by_id["written.q1_seeds"].status == "passed"
    again = small.grade(path, out)
    assert (again.score, again.criteria) == (2.5, marked.criteria)
    assert read_result(out) == again
    # A mark that is given anew takes the old one's place, and the others stay; in a resumed class as well.
    other = Marks([Mark("hand_in", CRITERION, 0.5)], small.assignment)
    resumed = small.resumed(path, out, other)
    assert resumed is not None and resumed.score == 1.5 and read_result(out) == resumed


def test_marks_of_another_student_are_not_taken_over(
    small: Small, hand_in: Callable[..., Path], tmp_path: Path
) -> None:
    path, out = hand_in(), tmp_path / "out"
    small.grade(path, out, Marks([Mark("hand_in", CRITERION, 1)], small.assignment))
    path.rename(path.with_name("another"))
    assert small.grade(path.with_name("another"), out).score == 0


def test_a_mark_above_what_the_criterion_has_by_now_is_given_anew(
    small: Small, hand_in: Callable[..., Path], tmp_path: Path
) -> None:
    full = Marks([Mark("hand_in", CRITERION, 2)], small.assignment)
    before = small.grade(hand_in(), tmp_path / "out", full)
    line = next(line for line in small.assignment.lines if line.id == CRITERION)
    cheaper = replace(line, points=1)
    now = before.model_copy(update={"criteria": [cheaper.judged("pending")]})
    assert kept(before) and not kept(with_marks(now, [cheaper], {}, before))
    assert with_marks(now, [cheaper], {CRITERION: Mark("hand_in", CRITERION, 1)}, before).score == 1


def test_a_part_alone_is_not_graded_over_marks(
    small: Small,
    hand_in: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    isolation: Isolation,
) -> None:
    path, out = hand_in(), tmp_path / "out"
    small.grade(path, out, Marks([Mark("hand_in", CRITERION, 1)], small.assignment))
    command = ["--submission", str(path), "--out", str(out), "--formats", "none", "--isolation", isolation]
    assert grade_main([*command, "--only", "unit"]) == CALLER
    assert "would drop" in capsys.readouterr().err
    assert read_result(out).score == 1


def test_marks_of_nobody_are_told_when_all_others_are_in(
    small: Small,
    hand_in: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    isolation: Isolation,
    csv_file: Callable[[str], str],
) -> None:
    monkeypatch.setattr("autograder.assignment.load", lambda name: small.assignment)
    hand_ins = tmp_path / "class"
    hand_ins.mkdir()
    hand_in().rename(hand_ins / "1")
    command = ["--submissions", str(hand_ins), "--out", str(tmp_path / "out"), "--isolation", isolation]
    command += ["--formats", "none", "--marks"]
    assert grade_main([*command, csv_file(f"student,criterion,points\n1,{CRITERION},1\n2,{CRITERION},1\n")]) == CALLER
    assert "nobody who handed in: 2" in capsys.readouterr().err
    assert read_result(tmp_path / "out" / "1").score == 1
    assert grade_main([*command, csv_file(f"student,criterion,points\n1,{CRITERION},2\n"), "--resume"]) == OK
    assert read_result(tmp_path / "out" / "1").score == 2
    assert grade_main([*command, csv_file(f"student,criterion,points\n1,{CRITERION},3\n")]) == CALLER
    assert "3 points" in capsys.readouterr().err
