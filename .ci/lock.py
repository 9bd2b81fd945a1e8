"""Writes requirements.lock: every distribution that pyproject.toml's ranges lead to, each at one version.

    make lock

It resolves for the oldest Python that the kit supports, so that no pin asks for a newer one, and installs nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"

OLDEST_PYTHON = "3.11.0"

# Builds of these two fit each other only in pairs, so the pair is chosen by hand.
TORCH = ["torch==2.13.0", "torchvision==0.28.0"]

# What torch's build for NVIDIA cards brings along. Each torch asks for exactly the versions it needs, and a build
# without CUDA for none.
WITH_CUDA = ("nvidia-", "cuda-", "triton")

HEADER = """\
# Written by `make lock` from the ranges in pyproject.toml; do not edit. Any build of torch {torch} will do: where no
# other is to be had, Linux gets the one with CUDA, whose libraries torch itself asks for.
"""


def resolve(requirements: list[str]) -> dict[str, str]:
    """Name -> version of everything that ``requirements`` lead to, by pip's own resolver."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        target = ["--python-version", OLDEST_PYTHON, "--only-binary", ":all:", "--target", folder]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", *target]
        subprocess.run([*command, "--report", str(report), *requirements], check=True)
        found = [item["metadata"] for item in json.loads(report.read_bytes())["install"]]
    # A local version ("2.13.0+cpu") names a build, which other machines need not have.
    return {item["name"].lower(): item["version"].partition("+")[0] for item in found}


def main() -> None:
    """Writes the lock anew."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ranges = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pins = resolve([*TORCH, *ranges])
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items()) if not name.startswith(WITH_CUDA)]
    LOCK.write_text(HEADER.format(torch=pins["torch"]) + "".join(lines))
    print(f"{LOCK.name}: {len(lines)} distributions")


if __name__ == "__main__":
    main()
