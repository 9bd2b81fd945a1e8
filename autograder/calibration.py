"""Calibrates thresholds: runs the reference over several seeds and stores what it reached.

``python -m autograder calibrate --profile quick --seeds 10`` adds the runs that are missing, and those that were made
with other settings; each is stored as it ends, so that it can be stopped and started again at any time.
``--misconceptions`` trains once with each wrong solution that the corpus names for it (``corpus/trained.toml``):
no threshold may be below what they reach. ``--table`` prints what is stored, ``--markdown`` the tables of README.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from autograder import thresholds
from autograder.assignment import ROOT, Assignment, load
from autograder.experiments import (
    ALL,
    DataUnavailable,
    Order,
    cost,
    device_for,
    device_name,
    perform,
    require_data,
)
from autograder.intake import take_in
from autograder.judge.contestant import Isolation, SubmissionFolder
from autograder.results import Experiment, write_atomically
from autograder.terminal import progress
from autograder.thresholds import Figures


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``calibrate`` to a command."""
    parser = subparsers.add_parser("calibrate", help="run the reference and store the thresholds")
    parser.add_argument("--assignment", default="hw1")
    parser.add_argument("--profile", choices=("quick", "full"), default="quick")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a store of real images; without, the embedded ones")
    parser.add_argument("--seeds", type=int, default=10, help="how many runs of each experiment are wanted")
    parser.add_argument(
        "--experiment",
        action="append",
        metavar="ID",
        help="this one alone; may be repeated; all for every one there is",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes that train at a time")
    parser.add_argument("--fresh", action="store_true", help="forget the runs stored before")
    parser.add_argument(
        "--misconceptions", action="store_true", help="train with wrong solutions of the corpus, not the reference"
    )
    parser.add_argument("--isolation", choices=("full", "none"), default="full", help="of the misconceptions")
    parser.add_argument("--table", action="store_true", help="run nothing; print what is stored")
    parser.add_argument("--markdown", action="store_true", help="run nothing; print the tables of README")
    parser.set_defaults(run=main)


def main(arguments: argparse.Namespace) -> int:
    """Runs what is missing and prints the table. Returns the exit code."""
    assignment = load(arguments.assignment)
    if arguments.table:
        Console().print(table(assignment))
        return 0
    if arguments.markdown:
        print(markdown(assignment))
        return 0
    known = assignment.module("experiments").EXPERIMENTS
    wanted = arguments.experiment or list(assignment.experiments)
    wanted = list(known) if "all" in wanted else wanted
    if unknown := sorted(set(wanted) - set(known)):
        print(f"calibrate: no experiment {unknown[0]}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    if arguments.data is not None and not arguments.data.is_dir():
        print(f"calibrate: {arguments.data}: there is no such folder", file=sys.stderr)
        return 2
    try:
        require_data(assignment, wanted, arguments.profile, arguments.data)
    except DataUnavailable as problem:
        print(f"calibrate: {problem}", file=sys.stderr)
        return 2
    console = Console()
    with progress(console) as report:
        if arguments.misconceptions:
            skipped = try_misconceptions(
                assignment,
                wanted,
                profile=arguments.profile,
                data=arguments.data,
                jobs=arguments.jobs,
                isolation=arguments.isolation,
                on_progress=report,
            )
        else:
            skipped = calibrate(
                assignment,
                wanted,
                profile=arguments.profile,
                data=arguments.data,
                seeds=arguments.seeds,
                jobs=arguments.jobs,
                fresh=arguments.fresh,
                on_progress=report,
            )
    console.print(table(assignment))
    for experiment, why in skipped.items():
        print(f"calibrate: {experiment}: {why}", file=sys.stderr)
    return 0


def _silent(stage: str, done: float) -> None:
    """No progress is shown."""


def calibrate(
    assignment: Assignment,
    wanted: list[str],
    *,
    profile: str,
    data: Path | None,
    seeds: int,
    jobs: int,
    fresh: bool,
    on_progress: Callable[[str, float], None] = _silent,
) -> dict[str, str]:
    """Runs the reference for every seed in 0 .. ``seeds`` - 1 that has no stored run, and stores each as it ends.

    Returns:
        Experiments that cannot be run on this machine, each with the reason.
    """
    device = device_for(profile)
    kept = {} if fresh else _kept(assignment, wanted, profile, data)
    if fresh:
        _forget(assignment, wanted, profile, data)
    orders = [
        Order(assignment.name, experiment, profile, data, seed, None, device)
        for seed in range(seeds)
        for experiment in wanted
        if experiment not in kept or str(seed) not in kept[experiment]["runs"]
    ]

    def put(order: Order, record: Experiment, figures: Figures) -> None:
        figures["runs"][str(order.seed)] = _rounded(record)

    return _perform(assignment, orders, jobs, put, on_progress)


def try_misconceptions(
    assignment: Assignment,
    wanted: list[str],
    *,
    profile: str,
    data: Path | None,
    jobs: int,
    isolation: Isolation = "full",
    on_progress: Callable[[str, float], None] = _silent,
) -> dict[str, str]:
    """Trains with each misconception named for these experiments that is not stored, and stores it as it ends.

    The same as `calibrate` otherwise. One that does not let the training come to an end is stored with no figures.
    """
    kept = _kept(assignment, wanted, profile, data)
    names: dict[Path, str] = {}
    orders = []
    with ExitStack() as stack:
        for experiment, stub, name in trained_misconceptions(assignment):
            known = kept[experiment]["misconceptions"] if experiment in kept else {}
            if experiment not in wanted or f"{stub}/{name}" in known:
                continue
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mizan-")))
            place = _wrong(assignment, stub, name, folder, isolation)
            names[place.folder] = f"{stub}/{name}"
            orders.append(Order(assignment.name, experiment, profile, data, 0, place, device_for(profile)))

        def put(order: Order, record: Experiment, figures: Figures) -> None:
            assert order.place is not None
            figures["misconceptions"][names[order.place.folder]] = _rounded(record)

        return _perform(assignment, orders, jobs, put, on_progress)


def trained_misconceptions(assignment: Assignment) -> list[tuple[str, str, str]]:
    """The wrong solutions that experiments are tried on: experiment, stub and name of each."""
    chosen = tomllib.loads((assignment.folder / "corpus" / "trained.toml").read_text(encoding="utf-8"))
    return [
        (experiment, stub, name)
        for experiment, stubs in chosen.items()
        for stub, names in stubs.items()
        for name in names
    ]


def _wrong(assignment: Assignment, stub: str, name: str, folder: Path, isolation: Isolation) -> SubmissionFolder:
    """A hand-in that holds a wrong solution of the corpus and no other stub: the reference stands in for those."""
    module = assignment.stubs[stub]
    (folder / "hand_in").mkdir()
    (folder / "assembled").mkdir()
    shutil.copy(assignment.folder / "corpus" / "wrong" / stub / f"{name}.py", folder / "hand_in" / f"{module}.py")
    take_in(folder / "hand_in", assignment).assemble(assignment, folder / "assembled")
    folder.chmod(0o755)
    return SubmissionFolder(folder / "assembled", assignment.name, {stub: module}, isolation)


def _kept(assignment: Assignment, wanted: list[str], profile: str, data: Path | None) -> dict[str, Figures]:
    """The stored figures that were made with the settings and images of today."""
    there = thresholds.read(assignment).get(thresholds.key(profile, data), {})
    return {
        name: there[name]
        for name in wanted
        if name in there and there[name]["settings"] == thresholds.fingerprint(assignment, name, profile, data)
    }


def _forget(assignment: Assignment, wanted: list[str], profile: str, data: Path | None) -> None:
    stored = thresholds.read(assignment)
    for name in wanted:
        stored.get(thresholds.key(profile, data), {}).pop(name, None)
    _write(assignment, stored)


def _rounded(record: Experiment) -> dict[str, float]:
    return {metric: round(value, 6) for metric, value in record.metrics.items()}


def _perform(
    assignment: Assignment,
    orders: list[Order],
    jobs: int,
    put: Callable[[Order, Experiment, Figures], None],
    on_progress: Callable[[str, float], None],
) -> dict[str, str]:
    """Carries out the orders and stores each as it ends; see `calibrate` for what comes back."""
    if not orders:
        return {}
    registry = assignment.module("experiments")
    costs = [cost(registry, order.experiment, order.profile) for order in orders]
    # What was asked for when the runs began: the registry may be edited while they go on.
    settings = {
        order.experiment: thresholds.fingerprint(assignment, order.experiment, order.profile, order.data)
        for order in orders
    }
    skipped: dict[str, str] = {}
    ended = 0.0
    for order, record, _ in perform(orders, jobs, on_progress):
        ended += costs[orders.index(order)]
        on_progress(ALL, ended / sum(costs))
        if record.status == "not_run" and order.place is None:
            skipped[order.experiment] = record.note.en
            continue
        _store(assignment, order, record, settings[order.experiment], put)
    return skipped


def _store(
    assignment: Assignment,
    order: Order,
    record: Experiment,
    settings: str,
    put: Callable[[Order, Experiment, Figures], None],
) -> None:
    """Puts one run into the file as it is now: another calibration may have written to it meanwhile."""
    stored = thresholds.read(assignment)
    there = stored.setdefault(thresholds.key(order.profile, order.data), {})
    if order.experiment not in there or there[order.experiment]["settings"] != settings:
        there[order.experiment] = {"runs": {}, "misconceptions": {}}  # type: ignore[typeddict-item]
    figures = there[order.experiment]
    put(order, record, figures)
    if order.place is None or not figures["runs"]:
        there[order.experiment] = Figures(
            runs=figures["runs"],
            misconceptions=figures["misconceptions"],
            judged=list(assignment.module("experiments").EXPERIMENTS[order.experiment].judged),
            data=record.data,
            settings=settings,
            device=device_name(order.device),
            torch=torch.__version__.partition("+")[0],
            date=datetime.now(UTC).date().isoformat(),
            commit=_commit(),
        )
    _write(assignment, stored)


def _write(assignment: Assignment, stored: dict[str, dict[str, Figures]]) -> None:
    text = json.dumps(stored, indent=1, sort_keys=True) + "\n"
    write_atomically(thresholds.path(assignment), text.encode())


def _commit() -> str:
    """The commit that is checked out, with a plus where files differ from it."""
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        ["git", "diff", "--quiet", "HEAD"], cwd=ROOT, capture_output=True, check=False
    ).returncode
    return found.stdout.strip() + ("+" if changed else "") or "unknown"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _with_spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{100 * values[0]:.1f}"
    return f"{100 * fmean(values):.1f} ± {100 * thresholds.spread(values):.1f}"


def _least(figures: Figures, metric: str) -> str:
    """The threshold of a metric that is judged, as far as there are runs enough for one."""
    if metric not in figures["judged"] or len(figures["runs"]) < thresholds.FEWEST:
        return ""
    return _share(thresholds.threshold(*thresholds.of_metric(figures, metric)))


def _nearest(figures: Figures, metric: str) -> str:
    """The best misconception that this metric can tell from a right solution, and what it reached."""
    told = (
        thresholds.told_apart(*thresholds.of_metric(figures, metric))
        if len(figures["runs"]) >= thresholds.FEWEST
        else []
    )
    if metric not in figures["judged"] or not told:
        return ""
    tried = figures["misconceptions"]
    name = next(name for name, reached in tried.items() if reached and reached[metric] == max(told))
    return f"{_share(max(told))} ({name.partition('/')[2]})"


def table(assignment: Assignment) -> Table:
    """The stored figures beside the published ones, and the thresholds that follow from them."""
    rows = assignment.module("experiments").EXPERIMENTS
    shown = Table(title="reference runs", title_justify="left")
    for column in ("profile", "data", "experiment", "metric"):
        shown.add_column(column)
    for column in ("runs", "mean", "spread", "threshold", "misconception", "published"):
        shown.add_column(column, justify="right")
    for column in ("device", "date"):
        shown.add_column(column)
    for place, experiment, figures in _each(assignment):
        profile, _, kind = place.partition("/")
        # Of real images the table does not know where they lie, so it cannot tell whether they have changed.
        stale = kind == "embedded" and figures["settings"] != thresholds.fingerprint(
            assignment, experiment, profile, None
        )
        for metric in next(iter(figures["runs"].values())):
            values, _ = thresholds.of_metric(figures, metric)
            published = rows[experiment].published.get(metric)
            numbers = (
                f"{len(values)}{' (old settings)' if stale else ''}",
                _share(fmean(values)),
                _share(thresholds.spread(values)),
                _least(figures, metric),
                _nearest(figures, metric),
                "" if published is None else _share(published),
            )
            names = profile, figures["data"], experiment, metric
            shown.add_row(*names, *numbers, figures["device"], figures["date"])
    return shown


def _each(assignment: Assignment) -> list[tuple[str, str, Figures]]:
    """Every experiment that has runs, in the order of the registry: place, id, figures."""
    order = list(assignment.module("experiments").EXPERIMENTS)
    return [
        (place, name, experiments[name])
        for place, experiments in sorted(thresholds.read(assignment).items())
        for name in sorted(experiments, key=order.index)
        if experiments[name]["runs"]
    ]


def remarks(assignment: Assignment) -> dict[str, dict[str, str]]:
    """One sentence for each row whose figures are far from the published ones: place -> experiment -> sentence."""
    path = assignment.folder / "grading" / "remarks.toml"
    found: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


FAR = 0.03
"""A figure that differs by more than this from the published one needs a word of explanation."""


def is_far(row: Any, figures: Figures) -> bool:
    """Whether any mean is far from the published figure."""
    return any(
        abs(fmean(thresholds.of_metric(figures, metric)[0]) - published) > FAR
        for metric, published in row.published.items()
    )


def markdown(assignment: Assignment) -> str:
    """The stored runs as README shows them: a table for each place and question, and one of the thresholds."""
    registry = assignment.module("experiments")
    why = remarks(assignment)
    blocks = []
    for place in dict.fromkeys(place for place, _, _ in _each(assignment)):
        for question, metrics in registry.METRICS.items():
            rows = [
                (registry.EXPERIMENTS[name], figures)
                for there, name, figures in _each(assignment)
                if there == place and registry.EXPERIMENTS[name].question == question
            ]
            if rows:
                blocks.append(_block(place, metrics, rows, why.get(place, {})))
    return "\n\n".join([*blocks, _thresholds(assignment)])


def _block(place: str, metrics: tuple[str, ...], rows: list[tuple[Any, Figures]], why: dict[str, str]) -> str:
    """One table of `markdown`."""
    published = [metric for metric in metrics if any(metric in row.published for row, _ in rows)]
    head = ["experiment", "data", "runs"]
    for metric in metrics:
        head += [f"`{metric}`", "published"] if metric in published else [f"`{metric}`"]
    lines = [[*head, "why it differs"], ["---"] * (len(head) + 1)]
    for row, figures in rows:
        cells = [f"`{row.id}`", figures["data"].replace("->", "→"), str(len(figures["runs"]))]
        for metric in metrics:
            cells.append(_with_spread(thresholds.of_metric(figures, metric)[0]))
            if metric in published:
                cells.append(f"{100 * row.published[metric]:.1f}" if metric in row.published else "")
        lines.append([*cells, why.get(row.id, "") if is_far(row, figures) else ""])
    made = sorted({(figures["device"], figures["torch"], figures["date"]) for _, figures in rows})
    profile, _, kind = place.partition("/")
    caption = "; ".join(f"{device}, torch {version}, {date}" for device, version, date in made)
    return f"Profile {profile}, {kind} data ({caption}):\n\n" + _lines(lines)


def _thresholds(assignment: Assignment) -> str:
    lines = [
        ["profile", "data", "experiment", "metric", "runs", "mean ± spread", "best misconception below", "threshold"]
    ]
    lines.append(["---"] * len(lines[0]))
    for place, name, figures in _each(assignment):
        for metric in figures["judged"] if name in assignment.experiments else ():
            values, _ = thresholds.of_metric(figures, metric)
            cells = [place.partition("/")[0], figures["data"].replace("->", "→"), f"`{name}`", f"`{metric}`"]
            cells += [str(len(values)), _with_spread(values), _nearest(figures, metric), _least(figures, metric)]
            lines.append(cells)
    return "Thresholds:\n\n" + _lines(lines)


def _lines(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
