"""Runs a student's notebook, cell by cell, in a contestant of its own, and takes nothing but bounded outputs from it.

What a notebook prints is shown to whoever marks it by hand; no point is ever given for it. Text and pictures (PNG,
JPEG) are taken over, nothing that a browser would run: HTML, SVG and scripts of a student's would run with the rights
of the teacher who looks at them.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.contestant import scratch
from autograder.contestant.lockdown import Limits
from autograder.results import Text
from autograder.translations import LANGUAGES, N_, catalogue

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "report_template" / "locale"
START_S = 120.0
"""Until torch is imported, on a cold machine under load."""
GRACE_S = 5.0
"""What a cell has to end in once it was interrupted; then its process is killed."""
MAX_LINE_BYTES = 16 << 20
MAX_TEXT = 20_000
"""Letters of an error's words, or of one line of its traceback."""
MAX_TRACEBACK = 100
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
"""What is shown besides text, and how it must begin."""

SLOW_CELL = N_("This cell was stopped: it ran for longer than {seconds} seconds.")
SLOW_NOTEBOOK = N_("The notebook was stopped: its cells ran for longer than {seconds} seconds in all.")
FLOOD = N_("This cell was stopped: it put out more than {kib} KiB.")
ENDED = N_("The notebook's process has ended ({why}), so this cell did not run to its end.")
NOT_RUN = N_("Not run: the notebook's process had ended at an earlier cell.")

Output = dict[str, Any]
"""One output of a cell, in the notebook format (nbformat 4)."""


class NotebookUnavailable(Exception):
    """No notebook can be run on this machine; one line that says why and what to do."""


class _Late(Exception):
    """The deadline passed."""


class _Gone(Exception):
    """The contestant ended, or sent what is no message."""


@dataclass(frozen=True)
class NotebookLimits:
    """What one notebook may use.

    Attributes:
        cell_s, notebook_s: seconds of wall time, of a cell and of all cells together.
        cell_bytes, notebook_bytes: bytes of output, likewise.
        process: memory, processor time, threads and files of its process.
    """

    cell_s: float = 900.0
    notebook_s: float = 1800.0
    cell_bytes: int = 2 << 20
    notebook_bytes: int = 16 << 20
    process: Limits = field(
        default=Limits(memory_bytes=4 << 30, cpu_s=3600, processes=64, open_files=256, file_bytes=64 << 20)
    )


def told(message: str, **params: object) -> Text:
    """A message in both languages."""
    return Text(**{lang: catalogue(LOCALE, "judge", lang).gettext(message).format(**params) for lang in LANGUAGES})


class NotebookProcess:
    """A contestant that runs one notebook, as a context that starts and ends it.

    Args:
        folder: the hand-in; a copy of it is the notebook's working folder.
        package: what that folder is called and imported as, wherever the hand-in lies.
        limits: what it may use.
        isolation: "full" locks it down, "none" does not.
        environment: variables for the notebook, besides the lockdown's own.
        readable: what it may read besides the hand-in and what every contestant may.

    Raises:
        NotebookUnavailable: on entering, if this machine cannot lock it down.
    """

    def __init__(
        self,
        folder: Path,
        package: str,
        limits: NotebookLimits = NotebookLimits(),
        isolation: str = "full",
        environment: Mapping[str, str] = {},
        readable: tuple[Path, ...] = (),
    ) -> None:
        self.source, self.package, self.limits = folder, package, limits
        self.isolation, self.environment, self.readable = isolation, dict(environment), readable
        self.layers: list[str] = []
        self._buffer = bytearray()
        self._dead = False
        self._ends_at = float("inf")
        self._spare_bytes = limits.notebook_bytes

    def __enter__(self) -> NotebookProcess:
        self._scratch = scratch.scratch()
        folder = self._scratch.__enter__()
        package = folder / self.package
        shutil.copytree(self.source, package, symlinks=True, ignore=shutil.ignore_patterns("*.ipynb"))
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)
        self._sock, theirs = socket.socketpair()
        environment = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        script = ROOT / "autograder" / "contestant" / "notebook.py"
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(script), str(ROOT), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        order = {
            "folder": str(folder),
            "package": self.package,
            "isolation": self.isolation,
            "limits": asdict(self.limits.process),
            "environment": self.environment,
            "readable": [str(path) for path in self.readable],
        }
        try:
            self._send(order)
            answer = self._receive(time.monotonic() + START_S)
        except (_Late, _Gone) as problem:
            answer = {"failure": f"the process that runs notebooks did not start ({problem or 'too late'})"}
        if "failure" in answer:
            self.__exit__(None, None, None)
            raise NotebookUnavailable(str(answer["failure"]))
        self.layers = [str(layer) for layer in answer["layers"]]
        self._ends_at = time.monotonic() + self.limits.notebook_s
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()
        self._scratch.__exit__(None, None, None)

    def run(self, code: str) -> list[Output]:
        """Runs a cell and returns its outputs; whatever the cell does, it comes back."""
        if self._dead:
            return [_error("NotebookEnded", told(NOT_RUN))]
        slow = _error("NotebookTimeout", told(SLOW_NOTEBOOK, seconds=f"{self.limits.notebook_s:g}"))
        if time.monotonic() >= self._ends_at:
            self._end()
            return [slow]
        outputs = _Outputs(min(self.limits.cell_bytes, self._spare_bytes))
        cell_ends_at = time.monotonic() + self.limits.cell_s
        deadline = min(cell_ends_at, self._ends_at)
        stopped: Output | None = None
        try:
            self._send({"run": code})
            while True:
                try:
                    message = self._receive(deadline)
                except _Late:
                    if stopped is not None:
                        raise _Gone("it did not heed an interrupt") from None
                    stopped = slow
                    if deadline == cell_ends_at:
                        stopped = _error("CellTimeout", told(SLOW_CELL, seconds=f"{self.limits.cell_s:g}"))
                    deadline = self._interrupt()
                    continue
                if "done" in message:
                    break
                if stopped is None and not outputs.take(message):
                    stopped = _error("TooMuchOutput", told(FLOOD, kib=outputs.most >> 10))
                    deadline = self._interrupt()
        except _Gone as problem:
            self._end()
            ended = _error("NotebookEnded", told(ENDED, why=self._why(str(problem))))
            return [*outputs.taken(), *filter(None, [stopped, ended])]
        self._spare_bytes -= outputs.size
        return [*outputs.taken(), *filter(None, [stopped])]

    def _interrupt(self) -> float:
        """Interrupts the running cell; returns when it must have ended."""
        self._send({"interrupt": True})
        return time.monotonic() + GRACE_S

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._sock.settimeout(GRACE_S)
            self._sock.sendall(json.dumps(message).encode() + b"\n")
        except OSError as problem:  # one that came too late is one too
            raise _Gone("it does not listen") from problem

    def _receive(self, deadline: float) -> dict[str, Any]:
        """One message.

        Raises:
            _Late, _Gone.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_LINE_BYTES:
                raise _Gone("it sent a message that is too long")
            self._wait(deadline)
        # Looked at once more: who never stops sending would never be late.
        if time.monotonic() >= deadline:
            raise _Late
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as problem:
            raise _Gone("it sent what is no message") from problem
        if not isinstance(message, dict):
            raise _Gone("it sent what is no message")
        return message

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _Late
        try:
            self._sock.settimeout(left)
            part = self._sock.recv(1 << 16)
        except TimeoutError as problem:
            raise _Late from problem
        except OSError as problem:
            raise _Gone(str(problem)) from problem
        if not part:
            raise _Gone
        self._buffer += part

    def _why(self, problem: str) -> str:
        code = self.process.returncode
        if problem or code is None:
            return problem
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _end(self) -> None:
        self._dead = True
        with suppress(subprocess.TimeoutExpired):  # how it ended is told, so it may end by itself
            self._sock.close()
            self.process.wait(timeout=0.5)
        self.process.kill()
        self.process.wait()


class _Outputs:
    """The outputs of one cell, as far as they are sound and no more than ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self._kept: list[Output] = []
        self._clear = False

    def take(self, message: dict[str, Any]) -> bool:
        """Takes over what a message holds; False if that would be too much."""
        if "clear" in message:
            self._clear = True
            if not message["clear"]:
                self._kept.clear()
            return True
        output = _sound(message)
        if output is None:
            return True
        self.size += len(json.dumps(output))
        if self.size > self.most:
            return False
        if self._clear:
            self._kept.clear()
            self._clear = False
        last = self._kept[-1] if self._kept else {}
        if output["output_type"] == "stream" and output["name"] == last.get("name"):
            last["text"] += output["text"]
        else:
            self._kept.append(output)
        return True

    def taken(self) -> list[Output]:
        """All of it; of a line that was written over and over, as progress bars are, only the last state."""
        for output in self._kept:
            if output["output_type"] == "stream":
                output["text"] = re.sub(r"[^\n]*\r(?!\n)", "", output["text"])
        return self._kept


def _sound(message: dict[str, Any]) -> Output | None:
    """The output that a message stands for, made anew of what is harmless in it; None for what is none."""
    if message.get("stream") in ("stdout", "stderr") and isinstance(message.get("text"), str):
        return {"output_type": "stream", "name": message["stream"], "text": _letters(message["text"])}
    data, error = message.get("data"), message.get("error")
    if isinstance(data, dict):
        shown = {kind: content for kind, content in data.items() if _harmless(kind, content)}
        if isinstance(text := data.get("text/plain"), str):
            shown["text/plain"] = _letters(text)
        if not shown:
            return None
        if message.get("result") is True:
            return {"output_type": "execute_result", "data": shown, "metadata": {}, "execution_count": None}
        return {"output_type": "display_data", "data": shown, "metadata": {}}
    if isinstance(error, dict):
        name, value, lines = (error.get(key) for key in ("ename", "evalue", "traceback"))
        lines = lines if isinstance(lines, list) else []
        return {
            "output_type": "error",
            "ename": _words(name)[:200],
            "evalue": _words(value),
            "traceback": [_words(line) for line in lines[:MAX_TRACEBACK]],
        }
    return None


def _letters(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _words(text: object) -> str:
    return _letters(text)[:MAX_TEXT] if isinstance(text, str) else ""


def _harmless(kind: str, content: object) -> bool:
    """Whether it is a picture of a kind that no browser runs."""
    if kind not in PICTURES or not isinstance(content, str):
        return False
    try:
        return base64.b64decode(content.replace("\n", ""), validate=True).startswith(PICTURES[kind])
    except (binascii.Error, ValueError):
        return False


def _error(name: str, text: Text) -> Output:
    lines = [text.en, text.fa]
    return {"output_type": "error", "ename": name, "evalue": text.en, "traceback": lines}
