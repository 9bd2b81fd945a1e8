"""Calibrates thresholds: runs the reference over several seeds and stores what it reached.

``python -m autograder calibrate --profile quick --seeds 10`` adds the runs that are missing, and those that were made
with other settings; each is stored as it ends, so that it can be stopped and started again at any time.
``python -m autograder calibrate --table`` prints what is stored.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import torch
from rich.console import Console
from rich.table import Table

from autograder import thresholds
from autograder.assignment import ROOT, Assignment, load
from autograder.experiments import DataUnavailable, Order, perform, require_data
from autograder.results import write_atomically


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
    parser.add_argument("--table", action="store_true", help="run nothing; print what is stored")
    parser.set_defaults(run=main)


def main(arguments: argparse.Namespace) -> int:
    """Runs what is missing and prints the table. Returns the exit code."""
    assignment = load(arguments.assignment)
    if arguments.table:
        Console().print(table(assignment))
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
    skipped = calibrate(
        assignment,
        wanted,
        profile=arguments.profile,
        data=arguments.data,
        seeds=arguments.seeds,
        jobs=arguments.jobs,
        fresh=arguments.fresh,
    )
    Console().print(table(assignment))
    for experiment, why in skipped.items():
        print(f"calibrate: {experiment}: {why}", file=sys.stderr)
    return 0


def calibrate(
    assignment: Assignment, wanted: list[str], *, profile: str, data: Path | None, seeds: int, jobs: int, fresh: bool
) -> dict[str, str]:
    """Runs the reference for every seed in 0 .. ``seeds`` - 1 that has no stored run, and stores each as it ends.

    Returns:
        Experiments that cannot be run on this machine, each with the reason.
    """
    place = thresholds.key(profile, data)
    there = {} if fresh else thresholds.read(assignment).get(place, {})
    settings = {name: thresholds.fingerprint(assignment, name, profile, data) for name in wanted}
    kept = {
        name: there[name]["runs"] for name in wanted if name in there and there[name]["settings"] == settings[name]
    }
    skipped: dict[str, str] = {}
    orders = [
        Order(assignment.name, experiment, profile, data, seed, None)
        for seed in range(seeds)
        for experiment in wanted
        if str(seed) not in kept.get(experiment, {})
    ]
    for order, record, _ in perform(orders, jobs) if orders else ():
        if record.status == "not_run":
            skipped[order.experiment] = record.note.en
            continue
        runs = kept.setdefault(order.experiment, {})
        runs[str(order.seed)] = {metric: round(value, 6) for metric, value in record.metrics.items()}
        _store(assignment, place, order.experiment, runs, record.data, settings[order.experiment])
    return skipped


def _store(
    assignment: Assignment,
    place: str,
    experiment: str,
    runs: dict[str, dict[str, float]],
    data: str,
    settings: str,
) -> None:
    """Puts one experiment's runs into the file as it is now: another calibration may have written to it meanwhile."""
    stored = thresholds.read(assignment)
    stored.setdefault(place, {})[experiment] = {
        "runs": runs,
        "data": data,
        "settings": settings,
        "judged": list(assignment.module("experiments").EXPERIMENTS[experiment].judged),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__.partition("+")[0],
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
    }
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


def table(assignment: Assignment) -> Table:
    """The stored figures beside the published ones, and the thresholds that follow from them."""
    rows = assignment.module("experiments").EXPERIMENTS
    shown = Table(title="reference runs", title_justify="left")
    for column in ("profile", "data", "experiment", "metric"):
        shown.add_column(column)
    for column in ("runs", "mean", "spread", "threshold", "published"):
        shown.add_column(column, justify="right")
    for column in ("device", "date"):
        shown.add_column(column)
    for place, experiments in thresholds.read(assignment).items():
        for experiment in sorted(experiments, key=list(rows).index):
            figures = experiments[experiment]
            metrics = list(figures["runs"].values())
            profile, _, kind = place.partition("/")
            # Of real images the table does not know where they lie, so it cannot tell whether they have changed.
            stale = kind == "embedded" and figures["settings"] != thresholds.fingerprint(
                assignment, experiment, profile, None
            )
            for metric in metrics[0]:
                values = [run[metric] for run in metrics]
                least = ""
                if metric in figures["judged"] and len(values) >= 3:
                    least = f"{thresholds.lower_bound(values):.1%}"
                published = rows[experiment].published.get(metric)
                numbers = (
                    f"{len(values)}{' (old settings)' if stale else ''}",
                    f"{fmean(values):.1%}",
                    f"{thresholds.spread(values):.1%}",
                    least,
                    "" if published is None else f"{published:.1%}",
                )
                names = profile, figures["data"], experiment, metric
                shown.add_row(*names, *numbers, figures["device"], figures["date"])
    return shown
