"""What the lockdown costs: to start a contestant, in its arithmetic, and in the unit stage of a submission.

    python benchmarks/lockdown.py [--rounds N]

Forks contestants of this process, with torch loaded, locked down and not; each says when it is ready, and how long
it then trained a small convolution. Then, with a warm judge and its zygote, in turns with lockdown and without:
starts a contestant and ends it, and grades the unit stage of the reference. Prints medians in milliseconds; of the
unit stage the median of the differences within a round. A second core hides starts: ``taskset -c 0`` shows them.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import struct
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import get_args

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autograder.assignment import load
from autograder.contestant import seccomp
from autograder.contestant.escapes import LACKS
from autograder.contestant.lockdown import Jail, Limits, lock_down
from autograder.contestant.scratch import scratch
from autograder.grading import Grader, Options
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants, Isolation
from autograder.judge.zygote import Zygote

LIMITS = Limits(memory_bytes=4 << 30, cpu_s=600, processes=64, open_files=256, file_bytes=64 << 20)


def train() -> float:
    """Seconds that twenty steps of a small network take."""
    layer = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.ReLU(), torch.nn.Conv2d(16, 16, 3))
    images = torch.ones(32, 3, 32, 32)
    started = time.perf_counter()
    for _ in range(20):
        layer(images).square().mean().backward()
    return time.perf_counter() - started


def contestant(scratch: Path, locked: bool, lacks: tuple[str, ...]) -> tuple[float, float]:
    """Seconds until one is ready, and that its training took."""
    reading, writing = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        if lacks:
            seccomp.install([rule for name in lacks for rule in LACKS[name]])
        if locked:
            lock_down(Jail(scratch=scratch, keep_fds=(writing,)), LIMITS, required=True)
        os.write(writing, b"ready")
        os.write(writing, struct.pack("d", train()))
        os._exit(0)
    os.close(writing)
    os.read(reading, 5)
    ready = time.perf_counter() - started
    (trained,) = struct.unpack("d", os.read(reading, 8))
    os.close(reading)
    os.waitpid(child, 0)
    return ready, trained


def with_zygote(rounds: int) -> tuple[dict[Isolation, list[float]], dict[Isolation, list[float]]]:
    """Seconds, for each isolation, of a contestant's start and end and of the reference's unit stage."""
    assignment = load()
    judge = Judge(assignment)
    starts: dict[Isolation, list[float]] = {isolation: [] for isolation in get_args(Isolation)}
    seconds: dict[Isolation, list[float]] = {isolation: [] for isolation in starts}
    with ExitStack() as stack:
        zygote, out, place = (
            stack.enter_context(Zygote()),
            stack.enter_context(scratch()),
            stack.enter_context(scratch()),
        )
        for module in set(assignment.stubs.values()):  # as a student hands in, and not the whole folder
            shutil.copy(assignment.folder / f"{module}.py", place)
        graders = {
            isolation: Grader(
                assignment,
                judge,
                stack.enter_context(Contestants(isolation, zygote=zygote)),
                Options(only="unit", isolation=isolation),
            )
            for isolation in seconds
        }
        hand_in = graders["full"].take_in(place)
        for number in range(rounds + 1):
            for isolation, grader in graders.items():
                started = time.perf_counter()
                grader.contestants.prove()
                starts[isolation].append(time.perf_counter() - started)
                started = time.perf_counter()
                result = grader.grade(hand_in, out / isolation)
                taken = time.perf_counter() - started
                assert result.score == result.max_score, "the reference does not earn its points"
                if number:  # the first round computes what is expected, for all that follow
                    seconds[isolation].append(taken)
    return starts, seconds


def main() -> None:
    """Prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Linux {platform.release()}, {date.today()}")
    kinds = {
        "no lockdown": (False, ()),
        "all layers": (True, ()),
        "no namespaces": (True, ("namespaces",)),
        "no Landlock": (True, ("landlock",)),
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "losses.py").write_text("x = 1\n" * 1000)
        for _ in range(rounds):  # taking turns, so that a busy machine is unfair to none
            for name, (locked, lacks) in kinds.items():
                measured[name].append(contestant(Path(folder), locked, lacks))
    for name, figures in measured.items():
        ready, trained = (1000 * statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{name:14} ready after {ready:5.1f} ms, training {trained:6.1f} ms")
    starts, unit = with_zygote(rounds)
    for isolation, taken in starts.items():
        print(f"started and ended by the zygote, isolation {isolation}: {1000 * statistics.median(taken):.1f} ms")
    for isolation, seconds in unit.items():
        print(f"unit stage, isolation {isolation}: {1000 * statistics.median(seconds):.0f} ms")
    more = [1000 * (full - none) for full, none in zip(unit["full"], unit["none"], strict=True)]
    quarters = statistics.quantiles(more, n=4)
    print(
        f"the lockdown adds {statistics.median(more):.0f} ms to it (half of {rounds} rounds between "
        f"{quarters[0]:.0f} and {quarters[2]:.0f} ms)"
    )


if __name__ == "__main__":
    main()
