"""A contestant that runs a notebook: an IPython that is locked down first, then runs cell after cell.

Whatever this process says is output to be shown, never a verdict: student code runs in it and may have changed every
line of it. It speaks no ZeroMQ, as Jupyter's own kernels do, since that would need sockets that a contestant is
refused: lines of JSON go over the one socket that it was born with.

Started as ``python -I notebook.py ROOT DESCRIPTOR``; its first line is its order, and it ends when the other end of
the socket closes.

To it go ``{"run": code}`` and ``{"interrupt": true}``, which raises KeyboardInterrupt in the running cell. From it
come ``{"layers": [...]}`` or ``{"failure": text}``, once; then of each cell any number of
``{"stream": name, "text": text}``, ``{"data": {mime type: text}, "result": bool}``, ``{"clear": wait}`` and
``{"error": {"ename": name, "evalue": text, "traceback": [...]}}``, and at last ``{"done": true}``.
"""

from __future__ import annotations

import io
import json
import os
import queue
import signal
import socket
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

INLINE = "module://matplotlib_inline.backend_inline"
FLUSH_AT = 4096
"""Letters after which a line that does not end is sent."""


class Wire:
    """The contestant's end: sends from any thread, and receives in one of its own, so that it can be interrupted."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.lines = sock.makefile("rb")
        self.sending = threading.Lock()
        self.cells: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def send(self, **message: Any) -> None:
        """Sends one message."""
        with self.sending:
            self.sock.sendall(json.dumps(message).encode() + b"\n")

    def listen(self) -> None:
        """Puts cells into the queue, and passes interrupts on to the main thread, until the other side closes."""
        for line in self.lines:
            message = json.loads(line)
            if "run" in message:
                self.cells.put(message["run"])
            else:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        self.cells.put(None)


class Stream(io.TextIOBase):
    """Standard output or standard error of the cells, sent by the line."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire, self.name = wire, name
        self.waiting: list[str] = []

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.waiting.append(text)
        if "\n" in text or "\r" in text or sum(map(len, self.waiting)) > FLUSH_AT:
            self.flush()
        return len(text)

    def flush(self) -> None:
        text, self.waiting = "".join(self.waiting), []
        if text:
            self.wire.send(stream=self.name, text=text)


def shell_on(wire: Wire, streams: tuple[Stream, Stream]) -> Any:
    """An IPython whose outputs go over the wire."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    def flush() -> None:
        for stream in streams:
            stream.flush()

    def texts(data: dict[str, Any]) -> dict[str, str]:
        return {kind: content for kind, content in data.items() if isinstance(content, str)}

    class Results(DisplayHook):
        def write_output_prompt(self) -> None:
            flush()

        def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
            wire.send(data=texts(format_dict), result=True)

    class Displays(DisplayPublisher):
        def publish(self, data: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            flush()
            wire.send(data=texts(data), result=False)

        def clear_output(self, wait: bool = False) -> None:
            flush()
            wire.send(clear=bool(wait))

    class Shell(InteractiveShell):
        def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
            flush()
            wire.send(error={"ename": etype.__name__, "evalue": str(evalue), "traceback": list(stb)})

        def enable_gui(self, gui: str | None = None) -> None:
            """There is no screen, and %matplotlib asks for none."""

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    return Shell.instance(config=config, displayhook_class=Results, display_pub_class=Displays)


def serve(wire: Wire, shell: Any, streams: tuple[Stream, Stream]) -> None:
    """Runs one cell after the other until the wire closes."""
    sys.stdout, sys.stderr = streams
    running = False

    def interrupt(number: int, frame: object) -> None:
        if running:  # one that comes too late must not break what is sent
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    threading.Thread(target=wire.listen, daemon=True).start()
    while (code := wire.cells.get()) is not None:
        try:
            running = True
            shell.run_cell(code, store_history=True)
        except KeyboardInterrupt:
            pass
        finally:
            running = False
        for stream in streams:
            stream.flush()
        wire.send(done=True)


def main(sock: socket.socket) -> None:
    """Takes the order, gives up all rights, says so, and serves."""
    wire = Wire(sock)
    order = json.loads(wire.lines.readline())
    folder = Path(order["folder"])
    # Before the lockdown: the memory that torch maps is not the notebook's, and IPython sets modes of files.
    import torch

    from autograder.contestant.lockdown import Jail, Limits, lock_down

    torch.set_num_threads(1)
    os.environ["IPYTHONDIR"] = str(folder / ".ipython")
    streams = Stream(wire, "stdout"), Stream(wire, "stderr")
    shell = shell_on(wire, streams)
    try:
        layers: list[str] = []
        if order["isolation"] != "none":
            readable = tuple(Path(path) for path in order["readable"])
            jail = Jail(scratch=folder, readable=readable, keep_fds=(sock.fileno(),))
            layers = lock_down(jail, Limits(**order["limits"]), required=True)
        os.environ.update({"MPLBACKEND": INLINE, "JOBLIB_MULTIPROCESSING": "0", **order["environment"]})
        os.chdir(folder / order["package"])
    except Exception as problem:
        wire.send(failure=f"{type(problem).__name__}: {problem}")
        return
    # The last word to be believed: after it, student code may run here.
    wire.send(layers=layers)
    sys.path[:0] = [str(folder / order["package"]), str(folder)]
    sys.dont_write_bytecode = True
    torch.manual_seed(0)
    warnings.filterwarnings("ignore", message="Could not obtain multiprocessing lock")  # numba's: there is no other
    serve(wire, shell, streams)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    main(socket.socket(fileno=int(sys.argv[2])))
    os._exit(0)  # threads of the student's do not hold it up
