"""Times the grading of the sample hand-in as its user runs it, and finds the largest process.

    python benchmarks/grading.py [--runs N]

Prints, for the unit stage alone and for the whole with both PDFs: wall-clock seconds (median and all), and the peak
resident memory of the largest single process. A process counts once it has been waited for, by any of its ancestors.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "tests" / "samples" / "mixed"
STAGES = {
    "unit stage, cold": ["--only", "unit", "--formats", "none"],
    "whole, with HTML and two PDFs": [],
}


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for name, options in STAGES.items():
        seconds = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as out:
                command = [
                    sys.executable,
                    str(ROOT / "grade.py"),
                    "--submission",
                    str(SAMPLE),
                    "--out",
                    out,
                    *options,
                ]
                started = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                seconds.append(time.perf_counter() - started)
        # The largest so far: the stages run from the smaller to the larger.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        each = ", ".join(f"{value:.1f}" for value in seconds)
        print(f"{name}: {statistics.median(seconds):.1f} s (of {each}); largest process {peak:.0f} MiB")


if __name__ == "__main__":
    main()
