"""The judge's end of the warm process that forks contestants (`autograder.contestant.zygote`).

Apart from `autograder.judge.contestant` since it needs no torch: started first, it loads torch on one core while
the judge does so on another.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Puts what the process's libraries allocate on huge pages, where glibc (2.35 or newer) and the kernel have them.

A fork copies an entry for each page of memory, and its end gives each back: fewer pages, faster contestants.
"""


class Zygote:
    """The process, as a context that starts and ends it.

    Attributes:
        control: the socket that takes orders.
        numbers: what its contestants are called by.
        warm: whether a contestant of its was met, so that it has loaded torch.
    """

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.warm = False

    def __enter__(self) -> Zygote:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        script = ROOT / "autograder" / "contestant" / "zygote.py"
        environment = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8", **HUGE_PAGES}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(script), str(ROOT), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # out of Control-C's reach: the judge has contestants to end by it
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.control.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
