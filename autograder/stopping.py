"""What a process does when it is told to stop, by Control-C or by a batch system: it ends in order, and once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

AGAIN_S = 5.0
"""For so long, seconds, a signal that comes again is the same one: pressed twice, or sent to a process and its group.

It must not break off the order in which all is left; one that comes later may.
"""


def stop_by(*signals: signal.Signals, raising: Callable[[], BaseException]) -> None:
    """Has each of these signals raise in the main thread, unless one of them did a moment ago."""
    heard = float("-inf")

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        if time.monotonic() - heard > AGAIN_S:
            heard = time.monotonic()
            raise raising()

    for each in signals:
        signal.signal(each, stop)
