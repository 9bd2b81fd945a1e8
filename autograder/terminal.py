"""What a person at a terminal sees: progress while it works, and the verdict as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from autograder.intake import plain
from autograder.results import Criterion, Isolation, Result

MARKS = {
    "passed": "[green]passed[/]",
    "failed": "[red]failed[/]",
    "error": "[red]error[/]",
    "timeout": "[red]timeout[/]",
    "pending": "[yellow]pending[/]",
    "full": "full points",
    "part": "part of the points",
    "none": "no points",
}


SPEED_S = 300.0
"""Over how many seconds the speed is taken that the time left is worked out from."""


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str, float], None]]:
    """A function to report progress to, a bar for each stage that is under way, with the time it has taken and will.

    Silent unless ``console`` is a terminal.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal, speed_estimate_period=SPEED_S
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(escape(stage), total=1.0)
            bars.update(tasks[stage], completed=done, visible=done < 1)

        yield report


def _told(text: str) -> str:
    """Text that a stranger may have written: nothing in it is markup, steers the terminal or turns a line around."""
    return escape(plain(text))


def _points(value: float) -> str:
    return f"{value:g}"


def verdict(result: Result, written: list[Path], console: Console) -> None:
    """Prints the verdict: each criterion with its message, the measured figures, where the files are."""
    who = " ".join(filter(None, (result.student.name, result.student.number))) or Path(result.submission.path).name
    table = Table(title=_told(f"{result.assignment}: {who}"), title_justify="left", expand=False)
    table.add_column("criterion")
    table.add_column("verdict")
    table.add_column("points", justify="right")
    table.add_column("what to do", overflow="fold")
    for criterion in result.criteria:
        verdict_of = MARKS[criterion.mark or criterion.status]
        told = _told(_first_words(criterion.message.en))
        table.add_row(escape(criterion.id), verdict_of, _of(criterion), told)
    console.print(table)
    for diagnosis in result.diagnoses:
        console.print(f"[bold]{escape(diagnosis.stub)}[/]: {escape(diagnosis.text.en)}", highlight=False)
    if result.experiments:
        console.print(_figures(result))
    summary = f"[bold]score {_points(result.score)} of {_points(result.max_score)}[/]"
    if result.pending:
        summary += f", {_points(result.pending)} more await a human"
    console.print(summary)
    isolation(result.isolation, console)
    for fault in result.faults:
        console.print(f"[red]the grader's own fault:[/] {_told(fault.strip().splitlines()[-1])}")
    for path in written:
        console.print(f"  {_told(str(path))}", soft_wrap=True, highlight=False)


def isolation(record: Isolation, console: Console) -> None:
    """Prints the layers of the lockdown that were in force."""
    if record.level == "none":
        console.print("[yellow]isolation: none; the submission ran with your own rights[/]")
    else:
        console.print(f"isolation: {escape(', '.join(record.features) or 'no student code ran')}")


def _of(criterion: Criterion) -> str:
    return f"{_points(criterion.points)}/{_points(criterion.max_points)}" + (" bonus" if criterion.bonus else "")


def _first_words(text: str, most: int = 240) -> str:
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + " …"


def _figures(result: Result) -> Table:
    table = Table(title="experiments", title_justify="left")
    for column in ("experiment", "data", "metric"):
        table.add_column(column)
    for column in ("reached", "needed", "reference", "published"):
        table.add_column(column, justify="right")
    for record in result.experiments:
        for metric in list(record.metrics) or [""]:
            figures = (record.metrics, record.thresholds, record.reference, record.published)
            row = [f"{values[metric]:.1%}" if metric in values else "" for values in figures]
            table.add_row(escape(record.id), escape(record.data), metric or _told(record.note.en), *row)
    return table


def line(name: str, result: Result | None, problem: str, console: Console) -> None:
    """Prints one hand-in of a class: its name and score, or why there is none."""
    if result is None:
        console.print(f"{_told(name)}: [red]not taken[/]: {_told(problem)}", soft_wrap=True, highlight=False)
        return
    note = " [red](the grader's own fault, see results.json)[/]" if result.faults else ""
    score = f"{_points(result.score)} of {_points(result.max_score)}"
    console.print(f"{_told(name)}: {score}, {_points(result.pending)} pending{note}", highlight=False)
