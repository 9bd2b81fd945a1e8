"""How long the set-up takes in a fresh clone, and that a second run installs nothing.

    python benchmarks/setup.py

Clones what is committed into a temporary folder whose name has spaces, with an empty home, and runs ``make setup``
twice there. It downloads what ``requirements.lock`` names, unless pip is told of a nearer source.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Prints the seconds of both runs and the size of ``.venv``."""
    with tempfile.TemporaryDirectory() as folder:
        home, clone = Path(folder, "home"), Path(folder, "a checkout with spaces")
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        environment = {**os.environ, "HOME": str(home)}
        for run in ("first", "second"):
            started = time.monotonic()
            subprocess.run(["make", "setup"], cwd=clone, env=environment, check=True)
            print(f"make setup, {run} run: {time.monotonic() - started:.1f} s")
        size = sum(path.lstat().st_size for path in (clone / ".venv").rglob("*"))
        print(f".venv: {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
