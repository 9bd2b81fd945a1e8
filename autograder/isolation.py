"""``python -m autograder isolation``: which layers this machine has, and whether they hold, escape by escape."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from autograder.contestant import seccomp
from autograder.contestant.escapes import LACKS, Row, self_test
from autograder.contestant.lockdown import CURE, available, shortfall

HELD, BROKEN = 0, 1


def add_parser(doors: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Hangs the command on a parser; ``arguments.run(arguments)`` runs it and returns the exit code."""
    parser = doors.add_parser("isolation", help="try every escape from the lockdown, and print what came of it")
    parser.add_argument(
        "--without",
        action="append",
        choices=sorted(LACKS),
        default=[],
        help="see how the lockdown fares on a machine that lacks this (may be given more than once)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the layers and the escapes. Returns 0 if grading may go on here and every escape was refused, else 1."""
    with suppress(ModuleNotFoundError):
        import_module("torch")  # once, and not in each of the processes forked below
    console = Console()
    report = _available(arguments.without)
    _print_layers(report, console)
    lacking = shortfall(report)
    if lacking:
        console.print(f"[bold]Grading refuses on this machine[/]: no {escape('; no '.join(lacking))}.\n{CURE}.")
        return BROKEN
    rows = self_test(lacks=arguments.without)
    _print_escapes(rows, console)
    return HELD if all(row.held for row in rows) else BROKEN


def _available(lacks: Sequence[str]) -> dict[str, str]:
    return available(lambda: seccomp.install([rule for name in lacks for rule in LACKS[name]]) if lacks else None)


def _print_layers(report: dict[str, str], console: Console) -> None:
    table = Table("layer", "", title="Layers", box=None, padding=(0, 1))
    for name, reason in report.items():
        table.add_row(name, f"[yellow]{escape(reason)}[/]" if reason else "[green]in force[/]")
    console.print(table)


def _print_escapes(rows: Sequence[Row], console: Console) -> None:
    table = Table("", Column("escape", no_wrap=True), "expected", "seen", title="Escapes", box=None, padding=(0, 1))
    for row in rows:
        mark = "[green]ok[/]" if row.held else "[bold red]BROKEN[/]"
        table.add_row(mark, row.escape, row.expected, escape(row.seen))
    console.print(table)
    broken = sum(not row.held for row in rows)
    console.print(f"{len(rows) - broken} of {len(rows)} as expected")
