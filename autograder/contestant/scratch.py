"""A folder for a stranger's program, and its removal, whatever was left in it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ATTEMPTS = 20
"""How often a removal begins anew, where something still wrote into the folder."""


def copy_of(folder: Path) -> Path:
    """A new folder with a copy of all that lies in ``folder``, with the same modes."""
    fresh = Path(tempfile.mkdtemp(prefix="mizan-"))
    try:
        shutil.copytree(folder, fresh, dirs_exist_ok=True)
    except BaseException:
        remove(fresh)
        raise
    return fresh


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder, for as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="mizan-"))
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Removes a folder, however deep it is and whatever its modes are; links are not followed.

    `shutil.rmtree` recurses once for each level, and a few thousand levels are more than it can.

    Raises:
        OSError: what lies in it cannot be removed.
    """
    numbers = itertools.count()
    for attempt in range(ATTEMPTS):
        waiting = [folder]
        while waiting:
            emptied = waiting.pop()
            emptied.chmod(0o700)
            for entry in list(os.scandir(emptied)):
                if not entry.is_dir(follow_symlinks=False):
                    Path(entry.path).unlink(missing_ok=True)
                    continue
                # Moved to the top, where its path is short; for that it must be writable itself.
                Path(entry.path).chmod(0o700)
                higher = folder / f"{next(numbers)} {os.urandom(8).hex()}"
                Path(entry.path).rename(higher)
                waiting.append(higher)
            if emptied != folder:
                emptied.rmdir()
        try:
            folder.rmdir()
            return
        except OSError:
            if attempt == ATTEMPTS - 1:
                raise
