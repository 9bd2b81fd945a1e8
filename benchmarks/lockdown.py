"""What the lockdown costs: the time to start a contestant, and the time that its arithmetic takes.

    python benchmarks/lockdown.py

Forks contestants of this process, with torch loaded, locked down and not; each says when it is ready, and how long
it then trained a small convolution. Prints medians in milliseconds.
"""

from __future__ import annotations

import os
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autograder.contestant import seccomp
from autograder.contestant.escapes import LACKS
from autograder.contestant.lockdown import Jail, Limits, lock_down

ROUNDS = 15
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


def main() -> None:
    """Prints the medians."""
    torch.set_num_threads(1)
    kinds = {
        "no lockdown": (False, ()),
        "all layers": (True, ()),
        "no namespaces": (True, ("namespaces",)),
        "no Landlock": (True, ("landlock",)),
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "losses.py").write_text("x = 1\n" * 1000)
        for _ in range(ROUNDS):  # taking turns, so that a busy machine is unfair to none
            for name, (locked, lacks) in kinds.items():
                measured[name].append(contestant(Path(folder), locked, lacks))
    for name, figures in measured.items():
        ready, trained = (1000 * statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{name:14} ready after {ready:5.1f} ms, training {trained:6.1f} ms")


if __name__ == "__main__":
    main()
