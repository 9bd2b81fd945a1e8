"""The command line: ``grade.py``, and ``python -m autograder`` with all other doors.

Exit codes: 0 graded, whatever the score; 1 below ``--fail-under``; 2 the caller's mistake, in one line; 3 the
grader's own fault.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from autograder import terminal
from autograder.results import SUMMARY, Result, write_atomically

if TYPE_CHECKING:
    from autograder.assignment import Assignment
    from autograder.judge.zygote import Zygote
    from autograder.marks import Marks

OK, BELOW, CALLER, FAULT = 0, 1, 2, 3
INTERRUPTED = 130

DOORS = {
    "release": "autograder.release",
    "data": "autograder.store",
    "calibrate": "autograder.calibration",
    "report": "autograder.report",
    "isolation": "autograder.isolation",
    "verdicts": "autograder.verdicts",
    "gradebook": "autograder.gradebook",
}
"""Commands of ``python -m autograder``, each with the module that adds its parser."""


class CallerMistake(Exception):
    """The caller asked for what cannot be; one line that says what and how to mend it."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(CALLER, f"{self.prog}: {message}\n")


def _listed(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        chosen = tuple(part.strip() for part in text.split(",") if part.strip())
        if not chosen or not set(chosen) <= set(allowed):
            raise argparse.ArgumentTypeError(f"{text!r} is not made of {', '.join(allowed)}")
        return chosen

    return parse


def _grade_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="grade.py", description="Grades a submission, or a class of them.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--submission", type=Path, metavar="PATH", help="a folder, .zip or .tar.gz")
    what.add_argument("--submissions", type=Path, metavar="DIR", help="a folder with one hand-in in each entry")
    parser.add_argument("--out", type=Path, help="where results go (out/<name of the hand-in>)")
    parser.add_argument("--assignment", default="hw1", help="a folder of solutions/")
    parser.add_argument("--profile", choices=("quick", "full"), default="quick")
    parser.add_argument("--only", default="", metavar="unit|experiments|STUB", help="judge a part alone")
    parser.add_argument(
        "--experiment", action="append", metavar="ID", help="of the experiments this one; may be repeated; or all"
    )
    parser.add_argument("--lang", type=_listed("fa", "en"), default=("fa", "en"), help="languages of the report")
    parser.add_argument("--formats", type=_listed("html", "pdf", "none"), default=("html", "pdf"))
    parser.add_argument("--data", type=Path, metavar="DIR", help="a store of real images, such as datasets_cache")
    parser.add_argument(
        "--marks", metavar="FILE", help="points given by humans: a .csv or .toml file, or nbgrader's gradebook.db"
    )
    parser.add_argument("--jobs", type=int, default=0, help="processes that train at a time (one for each core)")
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run ended")
    parser.add_argument("--isolation", choices=("full", "none"), default="full")
    parser.add_argument("--fail-under", type=float, default=None, metavar="N", help="exit 1 below N points")
    return parser


def grade_main(argv: Sequence[str]) -> int:
    """``grade.py``. Returns the exit code."""
    arguments = _grade_parser().parse_args(argv)
    path: Path = arguments.submission or arguments.submissions
    out: Path = arguments.out or Path("out") / (path.resolve().name or "submission")
    return _guarded("grade.py", lambda: _grade(arguments, path, out), out)


def _guarded(program: str, work: Callable[[], int], out: Path | None = None) -> int:
    """Runs a command; whatever goes wrong becomes one line and an exit code."""
    try:
        return work()
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except CallerMistake as problem:
        print(f"{program}: {problem}", file=sys.stderr)
        return CALLER
    except Exception as problem:
        where = ""
        if out is not None:
            write_atomically(out / "grader-fault.txt", traceback.format_exc().encode("utf-8", "backslashreplace"))
            where = f"; the details are in {out / 'grader-fault.txt'}"
        else:
            traceback.print_exc()
        print(f"{program}: the grader's own fault: {type(problem).__name__}: {problem}{where}", file=sys.stderr)
        return FAULT


def _grade(arguments: argparse.Namespace, path: Path, out: Path) -> int:
    # What is wrong with the call is told before torch is loaded, which takes seconds.
    if not path.exists():
        raise CallerMistake(f"{path}: there is no such file or folder")
    if arguments.jobs < 0:
        raise CallerMistake("--jobs must be 1 or more")
    from autograder.assignment import AssignmentError, load
    from autograder.judge.zygote import Zygote
    from autograder.marks import MarksError, read_marks

    try:
        assignment = load(arguments.assignment)
    except AssignmentError as problem:
        raise CallerMistake(str(problem)) from problem
    if arguments.only not in ("", "unit", "experiments", *assignment.stubs):
        raise CallerMistake(
            f"--only {arguments.only}: must be unit, experiments or one of {', '.join(assignment.stubs)}"
        )
    chosen = _experiments(arguments, assignment)
    if arguments.data is not None and not arguments.data.is_dir():
        raise CallerMistake(
            f"--data {arguments.data}: there is no such folder; `python -m autograder data import` fills one"
        )
    if arguments.marks and arguments.only:
        raise CallerMistake("--marks is for whole gradings: a part alone has no place for them")
    try:
        marks = read_marks(arguments.marks, assignment) if arguments.marks else None
    except MarksError as problem:
        raise CallerMistake(str(problem)) from problem
    with Zygote() as zygote:
        return _grade_with(zygote, assignment, arguments, path, out, chosen, marks)


def _experiments(arguments: argparse.Namespace, assignment: Assignment) -> tuple[str, ...]:
    """The experiments that ``--experiment`` asks for, each once, in the order of the registry."""
    if not arguments.experiment:
        return ()
    if arguments.only not in ("", "experiments"):
        raise CallerMistake(f"--experiment does not go with --only {arguments.only}: it runs experiments")
    known = assignment.module("experiments").EXPERIMENTS
    asked = set(known) if "all" in arguments.experiment else set(arguments.experiment)
    if unknown := sorted(asked - set(known)):
        raise CallerMistake(f"--experiment {unknown[0]}: must be all or one of {', '.join(known)}")
    return tuple(name for name in known if name in asked)


def _grade_with(
    zygote: Zygote,
    assignment: Assignment,
    arguments: argparse.Namespace,
    path: Path,
    out: Path,
    chosen: tuple[str, ...],
    marks: Marks | None,
) -> int:
    """Grades with the parent of all contestants on its way already: it loads torch while this process does."""
    import torch

    from autograder.classroom import grade_class
    from autograder.experiments import DataUnavailable
    from autograder.grading import Grader, Options
    from autograder.intake import IntakeError
    from autograder.judge.checks import Judge
    from autograder.judge.contestant import Contestants, ContestantsUnavailable
    from autograder.marks import MarksError

    torch.set_num_threads(1)
    console = Console(stderr=False)
    options = Options(
        arguments.profile,
        arguments.only,
        arguments.data,
        isolation=arguments.isolation,
        experiments=chosen,
        resume=arguments.resume,
        marks=marks,
    )
    if arguments.jobs:
        options = replace(options, jobs=arguments.jobs)
    try:
        with ExitStack() as stack:
            contestants = stack.enter_context(Contestants(arguments.isolation, zygote=zygote))
            contestants.prove()
            if arguments.submission:
                report = stack.enter_context(terminal.progress(console))
                grader = Grader(assignment, Judge(assignment), contestants, replace(options, on_progress=report))
                hand_in = grader.take_in(path)
                results = [(grader.resumed(hand_in, out) if arguments.resume else None) or grader.grade(hand_in, out)]
                report("report", 0.0)
                written = [out / "results.json", *_render(out, arguments)]
                stack.close()
                terminal.verdict(results[0], written, console)
            else:
                grader = Grader(assignment, Judge(assignment), contestants, options)

                def told(name: str, result: Result | None, problem: str) -> None:
                    terminal.line(name, result, problem, console)
                    if result is not None:
                        _render(out / name, arguments)

                try:
                    results = grade_class(path, out, grader, resume=arguments.resume, on_result=told)
                finally:  # what broke at one hand-in, or was stopped, has results all the same
                    for file in _render_class(out, arguments):
                        console.print(str(file), soft_wrap=True, highlight=False)
                if results:
                    terminal.isolation(results[-1].isolation, console)
    except (IntakeError, ContestantsUnavailable, DataUnavailable, MarksError) as problem:
        raise CallerMistake(str(problem)) from problem
    unused = marks.unused if marks is not None else []
    if arguments.submissions and unused:
        raise CallerMistake(
            f"{arguments.marks}: marks of nobody who handed in: {', '.join(unused)}; the others are in"
        )
    if arguments.submission and marks is not None and not marks.used:
        raise CallerMistake(f"{arguments.marks}: no marks of this student, but of {', '.join(unused) or 'nobody'}")
    if any(result.faults for result in results):
        return FAULT
    least = arguments.fail_under
    return BELOW if least is not None and any(result.score < least for result in results) else OK


def _render(folder: Path, arguments: argparse.Namespace) -> list[Path]:
    """The report of a result; where a PDF cannot be made on this machine, a line says so and the rest is there."""
    from autograder.report import ReportError, render

    formats = tuple(form for form in arguments.formats if form != "none")
    if not formats:
        return []
    try:
        return render(folder, languages=arguments.lang, formats=formats)
    except ReportError as problem:
        print(f"grade.py: {problem}", file=sys.stderr)
        return sorted(folder.glob("report*"))


def _render_class(out: Path, arguments: argparse.Namespace) -> list[Path]:
    """What there is on the class as a whole: its summary, and the report where pages were asked for."""
    from autograder.report import render_class

    summary = out / SUMMARY
    if not summary.exists():
        return []
    return [summary, render_class(out, languages=arguments.lang)] if "html" in arguments.formats else [summary]


def main(argv: Sequence[str]) -> int:
    """``python -m autograder``. Returns the exit code."""
    parser = _Parser(prog="python -m autograder", description="The doors beside grade.py.")
    doors: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        dest="door", required=True, metavar="COMMAND", parser_class=_Parser
    )
    # Only the door that is asked for is loaded: a report needs no torch, and must do where there is none.
    asked = [argv[0]] if argv and argv[0] in DOORS else list(DOORS)
    for name in asked:
        importlib.import_module(DOORS[name]).add_parser(doors)
    arguments = parser.parse_args(argv)
    return _guarded(f"autograder {arguments.door}", lambda: int(arguments.run(arguments)))
