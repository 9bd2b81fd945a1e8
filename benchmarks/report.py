"""What the reports cost: seconds of one core and bytes, from stored results to pages.

    python benchmarks/report.py [HAND_INS]

A report of all eleven experiments in both languages, as HTML and two PDFs, and the report on a class of that many
hand-ins (200). Every measurement is a process of its own, imports included, and the least of three; the time is that
of the processor, so that what else the machine does disturbs little.
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.sample_result import write_class, write_sample  # noqa: E402

RUNS = 3


def cost(*arguments: str) -> float:
    """Processor seconds of ``python -m autograder report`` with these arguments, the least of `RUNS`."""
    spent = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "autograder", "report", *arguments]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(spent)


def main(hand_ins: int) -> None:
    """Prints a table."""
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {date.today()}")
    with tempfile.TemporaryDirectory() as folder:
        one, room = Path(folder) / "one", Path(folder) / "class"
        one.mkdir()
        room.mkdir()
        write_sample(one, per_group=300)
        write_class(room, hand_ins)
        rows = [
            ("HTML, both languages", cost(str(one), "--formats", "html"), ["report.html"]),
            ("PDF, one language", cost(str(one), "--formats", "pdf", "--lang", "fa"), ["report.fa.pdf"]),
            ("HTML and both PDFs", cost(str(one)), ["report.html", "report.fa.pdf", "report.en.pdf"]),
        ]
        for name, seconds, files in rows:
            size = sum((one / file).stat().st_size for file in files)
            print(f"{name:<24}{seconds:6.1f} s {size / 1e6:6.1f} MB")
        seconds = cost(str(room))
        print(f"{f'class of {hand_ins}':<24}{seconds:6.1f} s {(room / 'class.html').stat().st_size / 1e6:6.1f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
