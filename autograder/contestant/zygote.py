"""The warm parent of all contestants: loads torch once, then forks a contestant in hundredths of a second.

It holds no check, no answer and no other submission, since a fork inherits all memory. It runs one thread and
never touches CUDA, since neither survives a fork. The judge talks to it over a socket of whole messages
(``SOCK_SEQPACKET``): JSON, with the contestant's end of its wire passed as a file descriptor.

Started as ``python -I zygote.py ROOT DESCRIPTOR``; ends when the judge's end of the socket closes.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

MESSAGE_BYTES = 1 << 16


def load_torchvision() -> None:
    """Makes torchvision's networks importable, as students may build on them; does nothing where it is not installed.

    A torchvision built for another torch (PyPI's beside torch's CPU build) misses its compiled operators, and will
    not be imported before their names are declared. No network uses them.
    """
    import torch

    if importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision.models.resnet")
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            )
        importlib.import_module("torchvision.models.resnet")


def warm() -> None:
    """Does once what every contestant would otherwise pay for: torch imports much of itself on first use."""
    import numpy as np
    import torch
    import torch.testing
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    x = torch.from_numpy(np.zeros((2, 3, 8, 8), np.float32))
    F.cross_entropy(model(x), torch.zeros(2, dtype=torch.int64), label_smoothing=0.1)
    F.softplus(torch.logsumexp(x.flatten(), 0) + torch.einsum("ncij,ncij->", x, x))
    # No backward: autograd's engine may start threads at its first, and threads do not survive a fork.
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    for optimiser in (torch.optim.SGD(model.parameters(), 0.1), torch.optim.Adam(model.parameters(), 0.1)):
        optimiser.step()
    torch.testing.assert_close(x, x)
    load_torchvision()


def lock_away(order: dict[str, Any], wire: socket.socket) -> list[str]:
    """Gives up this process's rights, as far as ordered. Returns the layers in force."""
    if order["isolation"] == "none":
        return []
    from autograder.contestant.lockdown import Jail, Limits, lock_down  # loaded before the fork

    jail = Jail(scratch=Path(order["folder"]), keep_fds=(wire.fileno(),))
    return lock_down(jail, Limits(**order["limits"]), required=True)


def contestant(order: dict[str, Any], wire: socket.socket) -> None:
    """What a forked child does: gives up its rights, says so, then serves until the wire closes."""
    import torch

    from autograder.contestant.server import Server
    from autograder.wire import Channel

    channel = Channel(wire)
    try:
        layers = lock_away(order, wire)
    except Exception as problem:
        channel.send({"failure": str(problem) or type(problem).__name__}, _nothing_else)
        return
    folder = Path(order["folder"])
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    torch.set_num_threads(order["threads"])
    torch.manual_seed(0)  # the same for all, and none of the judge's: torch.initial_seed() tells it
    # The last word that the judge believes: after it, student code may run here.
    channel.send({"layers": layers}, _nothing_else)
    Server(channel, folder, order["package"], order["stubs"]).serve()


def _nothing_else(item: object) -> Any:
    raise TypeError(f"{type(item).__name__} in a greeting")


def run_child(order: dict[str, Any], wire: socket.socket, control: socket.socket) -> None:
    """Runs a contestant in the process just forked and ends that process, whatever happens."""
    status = 1
    try:
        control.close()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        contestant(order, wire)
        status = 0
    finally:
        os._exit(status)


def end(pid: int, patience_s: float) -> int | None:
    """Kills a contestant, which is not trusted to come to an end, and buries it.

    Returns:
        The exit code, -9 for signal 9, if it ended by itself within ``patience_s`` seconds; else None.
    """
    deadline = time.monotonic() + patience_s
    while True:
        finished, status = os.waitpid(pid, os.WNOHANG)
        if finished:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            break
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def main(control: socket.socket) -> None:
    """Takes orders until the judge is gone, then takes its children with it.

    A start is answered by the contestant itself, over its wire; the judge gives it the number to be ended by.
    """
    children: dict[int, int] = {}
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
        if not message:
            break
        order = json.loads(message)
        if order["op"] == "start":
            wire = socket.socket(fileno=descriptors[0])
            pid = os.fork()
            if pid == 0:
                run_child(order, wire, control)
            wire.close()
            children[order["number"]] = pid
        elif order["op"] == "end":
            status = end(children.pop(order["number"]), order["patience_s"])
            with suppress(BrokenPipeError):  # the judge went away while it waited
                control.send(json.dumps({"status": status}).encode())
    for pid in children.values():
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    socket_to_judge = socket.socket(fileno=int(sys.argv[2]))
    warm()
    import autograder.contestant.lockdown
    import autograder.contestant.server  # noqa: F401  (loaded before the fork, for all children)

    gc.collect()
    gc.freeze()  # a child's collections would touch, and so copy, every page that it shares with this process
    main(socket_to_judge)
