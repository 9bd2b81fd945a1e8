"""The guardian: the process between a contestant and whoever started it.

It exists for three reasons. The first process of a process-table namespace must be a child of the process that
made the namespace. All that a contestant starts dies when the guardian is killed. And where no quota can be had,
the guardian watches the scratch.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from autograder.contestant.kernel import prctl

PR_SET_PDEATHSIG = 1
ROUNDING_S = 0.5
"""The kernel's two ways of counting processor time, by ticks and exactly, come apart by so much on a busy machine."""
WATCH_EVERY_S = 0.05
BLOCK = 512
"""What st_blocks counts in."""
MAX_DEPTH = 64
PAGE = 4096
ENDLESS = 1 << 62
SPARE_ENTRIES = 4096
"""Files and folders that may be made in a scratch."""


class Lifeline:
    """The contestant's end of what ties it to its guardian."""

    def __init__(self, alive: int, told: int) -> None:
        self.alive, self.told = alive, told

    @property
    def descriptors(self) -> set[int]:
        """What must stay open until `hold`."""
        return {self.alive, self.told}

    def hold(self, *, quota: bool) -> None:
        """Has the kernel kill this process when the guardian dies. Changes of user undo it, so it comes after them.

        Args:
            quota: whether the scratch has a quota, so that the guardian need not watch it.
        """
        os.write(self.told, b"q" if quota else b"w")
        os.close(self.told)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        orphaned = bool(select.select([self.alive], [], [], 0)[0])
        os.close(self.alive)
        if orphaned:
            os._exit(1)


def die_with_parent(parent: int) -> None:
    """Has the kernel kill this process when its parent, the process ``parent``, dies."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def fork(scratch: Path, file_bytes: int, cpu_s: int) -> Lifeline:
    """Forks: the child returns and is the contestant; the parent stays as its guardian and ends as the child does.

    The guardian keeps no descriptor open, so what the contestant was given closes when the contestant ends. A
    contestant that used up its processor time ends the guardian by SIGXCPU, however it was killed itself (the
    first process of a namespace is deaf to that signal); one whose scratch grew by more than ``file_bytes``
    bytes or `SPARE_ENTRIES` entries is killed, and the guardian ends by SIGXFSZ.
    """
    held_bytes, held_entries = usage(scratch)
    alive, held = os.pipe()
    hears, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        os.close(hears)
        return Lifeline(alive, told)
    try:
        close_all_but([held, hears])
        if os.read(hears, 1) != b"q":
            _watch(child, cpu_s, scratch, held_bytes + file_bytes, held_entries + SPARE_ENTRIES)
        _, status, spent = os.wait4(child, 0)
        _end_like(status, spent, cpu_s)
    finally:
        os._exit(1)  # and with it the contestant


def _watch(child: int, cpu_s: int, scratch: Path, most_bytes: int, most_entries: int) -> None:
    """Returns never, since the child ends, by itself or because its scratch is too full."""
    while True:
        found, status, spent = os.wait4(child, os.WNOHANG)
        if found:
            _end_like(status, spent, cpu_s)
        held, entries = usage(scratch)
        if held > most_bytes or entries > most_entries:
            os.kill(child, signal.SIGKILL)
            os.wait4(child, 0)
            _end_by(signal.SIGXFSZ)
        time.sleep(WATCH_EVERY_S)


def _end_like(status: int, spent: resource.struct_rusage, cpu_s: int) -> NoReturn:
    if not os.WIFSIGNALED(status):
        os._exit(os.waitstatus_to_exitcode(status))
    ended_by = os.WTERMSIG(status)
    if ended_by == signal.SIGKILL and spent.ru_utime + spent.ru_stime > cpu_s - ROUNDING_S:
        ended_by = signal.SIGXCPU
    _end_by(ended_by)


def _end_by(number: int) -> NoReturn:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def usage(folder: Path) -> tuple[int, int]:
    """Bytes in whole pages, and entries, of all that lies in a folder; links are not followed.

    Whoever hides folders more than `MAX_DEPTH` deep, where nobody can look, is told to hold without end.
    """
    held = entries = 0
    top = len(folder.parts)
    for path, folders, files, here in os.fwalk(folder):
        if len(Path(path).parts) - top > MAX_DEPTH:
            return ENDLESS, ENDLESS
        entries += len(folders) + len(files)
        for name in files:
            with suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=here, follow_symlinks=False)
                held += -(-max(found.st_size, found.st_blocks * BLOCK) // PAGE) * PAGE
    return held, entries


def close_all_but(keep: Iterable[int]) -> None:
    """Closes all descriptors but these."""
    start = 0
    for descriptor in sorted(set(keep)):
        if start < descriptor:  # os.closerange(0, 0) closes everything (CPython 3.11)
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 1 << 20)
