"""``python -m autograder verdicts``: tries the checks on a corpus of solutions whose right verdict is known.

The corpus of an assignment (``solutions/<name>/corpus``) has wrong solutions, each with the criteria it must lose
and the diagnosis it must get (``labels.toml``), the same mistakes in other hands (``twins``), and right solutions
that may lose nothing. The table says how often the judge is wrong; any wrong verdict is an exit code of 1.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, TypeVar, get_args

import torch
from rich import box
from rich.console import Console
from rich.table import Table

from autograder.assignment import Assignment, load
from autograder.contestant import lockdown
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestant, Contestants, Isolation
from autograder.results import Text, write_atomically
from autograder.terminal import progress

T = TypeVar("T")
Kind = Literal["reference", "right", "wrong", "twins"]
ALL_RIGHT, WRONG_VERDICT, CALLER = 0, 1, 2


@dataclass(frozen=True)
class Entry:
    """One solution of the corpus, of one stub; the reference is an entry too."""

    kind: Kind
    stub: str
    name: str
    path: Path


@dataclass(frozen=True)
class Verdict:
    """What the judge said of an entry: the criteria it lost, the diagnosis (English), and the judge's own faults."""

    entry: Entry
    seed: int
    lost: tuple[str, ...]
    diagnosis: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Label:
    """What must be said of an entry: the criteria it must lose, and the diagnosis."""

    fails: tuple[str, ...]
    diagnosis: Text


RIGHT = Label((), Text())
"""That of a right solution: it loses nothing."""


def entries(assignment: Assignment, kinds: Iterable[Kind] = get_args(Kind), stubs: Iterable[str] = ()) -> list[Entry]:
    """The corpus, in a fixed order; of all stubs if none are named."""
    found = []
    for stub in tuple(stubs) or assignment.stubs:
        for kind in kinds:
            paths = sorted((assignment.folder / "corpus" / kind / stub).glob("*.py"))
            if kind == "reference":
                paths = [assignment.folder / f"{assignment.stubs[stub]}.py"]
            found += [Entry(kind, stub, path.stem, path) for path in paths]
    return found


def labels(assignment: Assignment) -> dict[tuple[str, str], Label]:
    """What must be said of the wrong solutions, and of their twins, by stub and name."""
    stored = tomllib.loads((assignment.folder / "corpus" / "labels.toml").read_text(encoding="utf-8"))
    return {
        (stub, name): Label(tuple(sorted(label["fails"])), Text(**label["diagnosis"]))
        for stub, entries in stored.items()
        for name, label in entries.items()
    }


class Bench:
    """Judges entries one after the other, with one judge for each seed and one parent of contestants.

    Args:
        assignment: whose corpus and checks.
        contestants: the parent of contestants, entered already.
    """

    def __init__(self, assignment: Assignment, contestants: Contestants) -> None:
        self.assignment, self.contestants = assignment, contestants
        self._judge = Judge(assignment)

    def judge(self, seed: int) -> Judge:
        """The judge of this seed; the last one is kept, since what the reference says is kept with it."""
        if self._judge.seed != seed:
            public = self._judge.public
            self._judge = Judge(self.assignment, seed)
            self._judge.public = public
        return self._judge

    def verdict(self, entry: Entry, seed: int | None = None) -> Verdict:
        """What the judge says of an entry on the inputs of ``seed``, the rubric's if None."""
        judge = self.judge(self.assignment.seed if seed is None else seed)

        def given(start: Callable[[], Contestant]) -> Verdict:
            criteria, faults = judge.check(start, only=lambda line: line.stub == entry.stub)
            diagnoses, more = judge.diagnose(start, criteria)
            lost = tuple(sorted(criterion.id for criterion in criteria if criterion.status != "passed"))
            silent = [
                f"{c.id} was lost without a word" for c in criteria if c.status != "passed" and not c.message.en
            ]
            return Verdict(entry, judge.seed, lost, "".join(d.text.en for d in diagnoses), (*faults, *more, *silent))

        return self._with(entry, given)

    def failures(self, entry: Entry) -> tuple[list[str], dict[str, str | list[list[float]]]]:
        """The checks of an entry's stub, and how it fails those on the public inputs that it fails."""

        def given(start: Callable[[], Contestant]) -> tuple[list[str], dict[str, str | list[list[float]]]]:
            ran, faults = self._judge.failures(start, [entry.stub])
            if faults:
                raise RuntimeError(faults[0])
            return ran[entry.stub].checks, {name: seen.failure for name, seen in ran[entry.stub].seen.items()}

        return self._with(entry, given)

    def _with(self, entry: Entry, use: Callable[[Callable[[], Contestant]], T]) -> T:
        """What ``use`` makes of a hand-in that holds the entry alone."""
        with tempfile.TemporaryDirectory(prefix="mizan-") as folder:
            package = Path(folder, self.assignment.name)
            package.mkdir()
            (package / "__init__.py").touch()
            (package / f"{self.assignment.stubs[entry.stub]}.py").write_bytes(entry.path.read_bytes())
            return use(lambda: self.contestants.start(Path(folder), self.assignment.name, self.assignment.stubs))


def mistakes(verdict: Verdict, wanted: Label = RIGHT) -> list[str]:
    """What is wrong with a verdict, in words; nothing if it is right."""
    found = list(verdict.faults)
    if verdict.lost != wanted.fails:
        found.append(
            f"loses {', '.join(verdict.lost) or 'nothing'} in place of {', '.join(wanted.fails) or 'nothing'}"
        )
    if verdict.diagnosis != wanted.diagnosis.en:
        found.append(f"is told {verdict.diagnosis or 'no diagnosis'!r} in place of {wanted.diagnosis.en or 'none'!r}")
    return found


_bench: Bench | None = None
"""The one of this process, if it is a worker's."""


def _open_bench(name: str, threads: int) -> None:
    """Begins a worker: its bench lasts as long as the process."""
    global _bench
    torch.set_num_threads(threads)
    assignment = load(name)
    isolation: Isolation = "none" if lockdown.shortfall(lockdown.available()) else "full"
    _bench = Bench(assignment, Contestants(isolation, threads=threads).__enter__())
    settle()


def settle() -> None:
    """Keeps the garbage collector from walking through all of torch at the end of every run of pytest."""
    gc.collect()
    gc.freeze()


def _verdict(entry: Entry, seed: int | None) -> Verdict:
    assert _bench is not None
    return _bench.verdict(entry, seed)


def _failures(entry: Entry, seed: int | None) -> tuple[Entry, list[str], dict[str, str | list[list[float]]]]:
    assert _bench is not None
    return entry, *_bench.failures(entry)


@dataclass(frozen=True)
class Crew:
    """Processes that judge, ``jobs`` at a time, in each of which torch computes with ``threads`` threads."""

    assignment: Assignment
    jobs: int
    threads: int

    def each(self, work: Callable[[Entry, int | None], T], tasks: Sequence[tuple[Entry, int | None]]) -> Iterator[T]:
        """What ``work`` makes of each task (an entry, and a seed or None), as they come to an end."""
        begin = (self.assignment.name, self.threads)
        with (
            ProcessPoolExecutor(self.jobs, get_context("spawn"), _open_bench, begin) as pool,
            progress(Console(stderr=True)) as report,
        ):
            waiting = [pool.submit(work, *task) for task in tasks]
            for done, future in enumerate(as_completed(waiting), 1):
                yield future.result()
                report("verdicts", done / len(tasks))


def record(assignment: Assignment, known: dict[Entry, tuple[list[str], dict[str, str | list[list[float]]]]]) -> Path:
    """Stores how the wrong solutions fail, for diagnosis; returns the file. Stubs not in ``known`` stay as stored."""
    path = assignment.tests / "misconceptions.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    told = labels(assignment)
    for stub in {entry.stub for entry in known}:
        mine = {entry: known[entry] for entry in sorted(known, key=lambda entry: entry.name) if entry.stub == stub}
        checks = max((checks for checks, _ in mine.values()), key=len)
        misconceptions = {
            entry.name: {"diagnosis": told[stub, entry.name].diagnosis.model_dump(), "failures": failures}
            for entry, (_, failures) in mine.items()
        }
        stored[stub] = {"checks": checks, "misconceptions": misconceptions}
    # A line for each misconception: a change of one is seen as such.
    lines = [
        f'{json.dumps(stub)}: {{\n"checks": {json.dumps(stored[stub]["checks"])},\n"misconceptions": {{\n'
        + ",\n".join(
            f"{json.dumps(name)}: {json.dumps(entry, ensure_ascii=False)}"
            for name, entry in stored[stub]["misconceptions"].items()
        )
        + "\n}}"
        for stub in assignment.stubs
        if stub in stored
    ]
    write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
    return path


def table(assignment: Assignment, verdicts: list[Verdict]) -> Table:
    """How often the judge was right, by stub, in Markdown."""
    shown = Table(box=box.MARKDOWN)
    shown.add_column("stub")
    for column in ("wrong solutions", "caught", "in the right criteria", "mistake named", "twins named"):
        shown.add_column(column, justify="right")
    for column in ("right solutions", "verdicts", "accepted"):
        shown.add_column(column, justify="right")
    told = labels(assignment)

    def share(right: Iterable[bool]) -> str:
        counted = list(right)
        return f"{sum(counted)} of {len(counted)}"

    for stub in assignment.stubs:
        mine = [verdict for verdict in verdicts if verdict.entry.stub == stub]
        if not mine:
            continue
        wrong = [(v, told[stub, v.entry.name]) for v in mine if v.entry.kind in ("wrong", "twins")]
        right = [v for v in mine if v.entry.kind in ("right", "reference")]
        shown.add_row(
            f"`{stub}`",
            str(len({v.entry for v, _ in wrong})),
            share(bool(v.lost) for v, _ in wrong),
            share(v.lost == label.fails for v, label in wrong),
            *(
                share(v.diagnosis == label.diagnosis.en for v, label in wrong if v.entry.kind == kind)
                for kind in ("wrong", "twins")
            ),
            str(len({v.entry for v in right})),
            str(len(right)),
            share(not v.lost and not v.diagnosis for v in right),
        )
    return shown


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``verdicts`` to a command."""
    parser = subparsers.add_parser("verdicts", help="try the checks on solutions whose right verdict is known")
    parser.add_argument("--assignment", default="hw1")
    parser.add_argument("--stub", action="append", metavar="NAME", help="this one alone; may be repeated")
    parser.add_argument("--kind", action="append", choices=get_args(Kind), help="these alone; may be repeated")
    parser.add_argument("--seeds", type=int, default=0, metavar="N", help="draw inputs from the seeds 1 to N instead")
    parser.add_argument("--jobs", type=int, default=2, help="processes that judge at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads that torch computes with")
    parser.add_argument(
        "--record", action="store_true", help="store how the wrong solutions fail the checks: diagnoses come of it"
    )
    parser.set_defaults(run=main)


def main(arguments: argparse.Namespace) -> int:
    """Tries the corpus and prints the table, or records it. Returns the exit code."""
    assignment = load(arguments.assignment)
    if unknown := sorted(set(arguments.stub or ()) - set(assignment.stubs)):
        print(f"verdicts: no stub {unknown[0]}; there are {', '.join(assignment.stubs)}", file=sys.stderr)
        return CALLER
    kinds: Sequence[Kind] = ("wrong",) if arguments.record else arguments.kind or get_args(Kind)
    corpus = entries(assignment, kinds, arguments.stub or ())
    seeds: Sequence[int | None] = range(1, arguments.seeds + 1) if arguments.seeds else [None]
    console = Console(width=200)  # of a table in Markdown no line may be broken
    crew = Crew(assignment, arguments.jobs, arguments.threads)
    if arguments.record:
        found = crew.each(_failures, [(entry, None) for entry in corpus])
        print(record(assignment, {entry: (checks, failures) for entry, checks, failures in found}))
        return ALL_RIGHT
    tasks = [(entry, seed) for seed in seeds for entry in corpus]
    verdicts = sorted(crew.each(_verdict, tasks), key=lambda v: (v.entry.path, v.seed))
    console.print(table(assignment, verdicts))
    told = labels(assignment)
    status = ALL_RIGHT
    for verdict in verdicts:
        for mistake in mistakes(verdict, told.get((verdict.entry.stub, verdict.entry.name), RIGHT)):
            status = WRONG_VERDICT
            console.print(f"{verdict.entry.path.relative_to(assignment.folder)}, seed {verdict.seed}: {mistake}")
    return status
