"""The judge's view of a contestant: a process it starts, calls with a time limit, and ends.

`Submission` has the face of the student's package: its stubs are called as if they were here, with tensors and
gradients, but run in a process of their own. Its answers are checked for form on the way in (`autograder.wire`)
and are otherwise whatever the student's code made them.
"""

from __future__ import annotations

import json
import math
import signal
import socket
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NoReturn

import torch
from torch import Tensor, nn

from autograder.contestant import scratch
from autograder.contestant.lockdown import RUNTIME, Limits
from autograder.contestant.server import tensors_in
from autograder.judge.zygote import Zygote
from autograder.wire import (
    CallbackRef,
    Channel,
    Closed,
    Late,
    ObjectRef,
    ProvidedRef,
    Ref,
    StubRef,
    WireError,
)

ROOT = Path(__file__).resolve().parents[2]
READY_S = 300.0  # a cold machine under load takes long to import torch
START_S = 60.0
IMPORT_S = 20.0
CALL_S = 10.0
ALL_CALLS_S = 120.0
"""What all calls of a stub's checks may take together: a hundred slow answers must not hold up a class."""
MAX_REPLY_BYTES = 256 << 20
"""The largest answer: four times the weights of the largest model."""
MAX_TEXT = 2000
DEATH_S = 0.5  # between the moment a dying process closes its wire and the moment its exit code is known

Isolation = Literal["full", "none"]
FaultKind = Literal["raised", "died", "timeout", "malformed"]


class SubmissionFault(Exception):
    """The student's code did not answer: it raised, died, never came back, or sent nonsense.

    Attributes:
        kind: which of these.
        type_name, text, file, line: what was raised and where in the student's files, as far as it is known.
    """

    def __init__(self, kind: FaultKind, text: str, type_name: str = "", file: str = "", line: int = 0) -> None:
        super().__init__(f"{type_name}: {text}" if type_name else text)
        self.kind, self.text, self.type_name, self.file, self.line = kind, text, type_name, file, line


class ContestantsUnavailable(Exception):
    """No contestant can be started on this machine; the message says why and what to do."""


LIMITS = Limits(memory_bytes=4 << 30, cpu_s=3600, processes=64, open_files=256, file_bytes=64 << 20)
"""What one contestant may use, unless told otherwise."""


class Contestants:
    """The warm parent of all contestants, as a context: one for each judge.

    Args:
        isolation: "full" locks each contestant down, "none" does not (for machines that cannot).
        limits: what each may use.
        zygote: the process that forks them, if it runs already; without, one is started and ended.
        threads: how many torch computes with in each.
    """

    def __init__(
        self,
        isolation: Isolation = "full",
        limits: Limits = LIMITS,
        zygote: Zygote | None = None,
        threads: int = 1,
    ) -> None:
        self.isolation = isolation
        self.limits = limits
        self.threads = threads
        self.layers: list[str] = []
        self._running = zygote
        self._ours = ExitStack()

    def __enter__(self) -> Contestants:
        self.zygote = self._running or self._ours.enter_context(Zygote())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ours.close()

    def order(self, message: dict[str, Any], *descriptors: int) -> None:
        """Sends the zygote one order.

        Raises:
            ContestantsUnavailable: it is gone, or takes none; nothing more is asked of it.
        """
        try:
            self.zygote.control.settimeout(READY_S)
            socket.send_fds(self.zygote.control, [json.dumps(message).encode()], descriptors)
        except OSError as problem:
            self._give_up(problem)

    def answer(self) -> dict[str, Any]:
        """The zygote's answer to the order just sent, if that has one.

        Raises:
            ContestantsUnavailable: it is gone, or silent; nothing more is asked of it, since a late answer would be
                taken for that to the next order.
        """
        try:
            answer = self.zygote.control.recv(1 << 16)
        except OSError as problem:
            self._give_up(problem)
        if not answer:
            raise ContestantsUnavailable("the process that starts contestants ended before its time")
        reply: dict[str, Any] = json.loads(answer)
        return reply

    def _give_up(self, problem: OSError) -> NoReturn:
        self.zygote.control.close()
        raise ContestantsUnavailable(f"the process that starts contestants is gone ({problem})") from problem

    def prove(self) -> None:
        """Starts a contestant with nothing in it, to know before anything is graded that it can be locked away.

        Raises:
            ContestantsUnavailable: it cannot; the message says why and what to do.
        """
        with scratch.scratch() as folder:
            contestant = self.start(folder, "nothing", {})
            contestant.meet()
            contestant.end()

    def start(self, folder: Path, package: str, stubs: dict[str, str]) -> Contestant:
        """Starts a contestant on a copy of the package ``folder/package``: what it writes, no other finds.

        It is not waited for: that it could be locked away is known by its first request, or by `Contestant.meet`.

        Raises:
            ContestantsUnavailable: the process that starts contestants is gone.
        """
        own = scratch.copy_of(folder)
        ours, theirs = socket.socketpair()
        number = next(self.zygote.numbers)
        order = {
            "op": "start",
            "number": number,
            "folder": str(own),
            "package": package,
            "stubs": stubs,
            "isolation": self.isolation,
            "limits": asdict(self.limits),
            "threads": self.threads,
        }
        try:
            with theirs:
                self.order(order, theirs.fileno())
        except BaseException:
            ours.close()
            scratch.remove(own)
            raise
        return Contestant(self, number, Channel(ours, MAX_REPLY_BYTES), own)


@dataclass
class Contestant:
    """One process with one student's code in it. ``spent_s``: how long it was waited for, seconds."""

    parent: Contestants
    number: int
    channel: Channel
    folder: Path
    alive: bool = True
    met: bool = False
    spent_s: float = 0.0
    graphs: int = 0
    released: list[int] = field(default_factory=list)

    def meet(self) -> None:
        """Waits until it is locked away. What it says there is the last that is believed: no student code ran yet.

        Raises:
            ContestantsUnavailable: the machine does not allow the isolation that was asked for.
        """
        if self.met:
            return
        zygote = self.parent.zygote
        try:
            greeting = self.channel.receive(time.monotonic() + (START_S if zygote.warm else READY_S))
        except (Closed, Late):
            greeting = {"failure": "it ended before it began"}
        if "failure" in greeting:
            self.end()
            raise ContestantsUnavailable(f"a contestant could not be locked away: {greeting['failure']}")
        zygote.warm = self.met = True
        self.parent.layers = greeting["layers"]

    def request(
        self, op: str, *, timeout_s: float, callbacks: list[Callable[..., Any]] | None = None, **arguments: Any
    ) -> Any:
        """Asks for one operation of `autograder.contestant.server.Server` and waits for the answer.

        Raises:
            SubmissionFault: the student's code raised, died, did not answer in time, or answered nonsense.
            ContestantsUnavailable: see `meet`.
        """
        if not self.alive:
            raise SubmissionFault("died", "the process had ended before")
        self.meet()
        began = time.monotonic()
        deadline = began + timeout_s
        release, self.released = self.released, []
        try:
            self.channel.send({"op": op, "arguments": arguments, "release": release}, _unsendable, deadline)
            reply = self.channel.receive(deadline)
            room = sum(x.numel() for x in tensors_in(arguments))
            while isinstance(reply, dict) and "callback" in reply:
                self.channel.send(_call_back(reply, callbacks or [], room), _unsendable, deadline)
                reply = self.channel.receive(deadline)
        except Late:
            self.end()
            raise SubmissionFault("timeout", f"no answer within {timeout_s:g} s") from None
        except Closed:
            raise SubmissionFault("died", _cause_of_death(self.end(DEATH_S))) from None
        except WireError as problem:
            self.end()
            raise SubmissionFault("malformed", str(problem)) from None
        finally:
            self.spent_s += time.monotonic() - began
        if isinstance(reply, dict) and isinstance(error := reply.get("error"), dict):
            raise _raised(error, self.folder)
        if not isinstance(reply, dict) or "value" not in reply:
            self.end()
            raise SubmissionFault("malformed", "an answer that is none")
        return reply["value"]

    def end(self, patience_s: float = 0.0) -> int | None:
        """Kills the process if it still runs after ``patience_s`` seconds.

        Returns:
            The exit code it ended with by itself (-9 for signal 9), or None.
        """
        self.channel.close()
        if not self.alive:
            return None
        self.alive = False
        try:
            self.parent.order({"op": "end", "number": self.number, "patience_s": patience_s})
            status = self.parent.answer()["status"]
        finally:
            scratch.remove(self.folder)
        return status if isinstance(status, int) else None


def _call_back(reply: dict[str, Any], callbacks: list[Callable[..., Any]], room: int) -> dict[str, Any]:
    """Calls a function of ours for the contestant, with no more numbers than ``room``: what it was sent itself.

    Broadcast against ours, a few megabytes of theirs could become more than there is memory.
    """
    number, arguments = reply.get("callback"), reply.get("arguments")
    if type(number) is not int or not 0 <= number < len(callbacks) or not isinstance(arguments, list):
        raise WireError("a call back to nothing")
    if sum(x.numel() for x in tensors_in(arguments)) > room:
        return {"error": "ValueError: called with larger tensors than came with the call"}
    try:
        return {"value": callbacks[number](*arguments)}
    except Exception as problem:  # the student's arguments made it fail: tell the student's code, as Python would
        return {"error": f"{type(problem).__name__}: {problem}"[:MAX_TEXT]}


def _raised(error: dict[str, Any], own: Path) -> SubmissionFault:
    words = (error.get(key) for key in ("text", "type", "file"))
    text, type_name, file = (word[:MAX_TEXT] if isinstance(word, str) else "" for word in words)
    line = error.get("line")
    line = line if type(line) is int and 0 <= line < 1 << 31 else 0
    return SubmissionFault("raised", without_places(text, own), type_name, file, line)


PLACES = sorted(
    {str(path) for path in (ROOT, Path.home(), Path(sys.prefix), Path(sys.base_prefix), *RUNTIME)}
    - {"/", "/usr", "/usr/local"},
    key=len,
    reverse=True,
)
"""Folders of this machine that errors name, the longest first."""


def without_places(text: str, own: Path) -> str:
    """An error's words without the folders of this machine, which tell a student nothing but who grades where.

    What lies in ``own``, the contestant's folder, is told by its name there.
    """
    text = text.replace(f"{own}/", "").replace(str(own), ".")
    for place in PLACES:
        text = text.replace(place, "…")
    return text


def _cause_of_death(status: int | None) -> str:
    if status is None:
        return "the process closed its connection"
    if status < 0:
        name = signal.Signals(-status).name if -status in signal.Signals._value2member_map_ else str(-status)
        return f"the process was ended by signal {name}"
    return f"the process ended with exit code {status}"


def _unsendable(item: object) -> Ref:
    raise TypeError(f"a {type(item).__name__} cannot be sent to a contestant")


class Submission:
    """The student's package, with its stubs as attributes; each runs in the contestant.

    Args:
        start: starts a contestant; called when one is first needed, and again after one died.
        stubs: stub -> module, all that may be asked for.
        call_s: time limit of one call, seconds.
        all_calls_s: time limit of all calls together, seconds.
        echo: after each call copy back what it did to its arguments, so that in-place changes show here as they
            would in one process. Costs the arguments' bytes once more.
    """

    def __init__(
        self,
        start: Callable[[], Contestant],
        stubs: dict[str, str],
        *,
        call_s: float | None = None,
        all_calls_s: float | None = None,
        echo: bool = True,
    ) -> None:
        self._start = start
        self._stubs = stubs
        self._call_s = CALL_S if call_s is None else call_s
        self._left_s = ALL_CALLS_S if all_calls_s is None else all_calls_s
        self._echo = echo
        self._contestant: Contestant | None = None
        self._loaded: set[str] = set()

    def __getattr__(self, name: str) -> RemoteObject:
        if name.startswith("_") or name not in self._stubs:
            raise AttributeError(name)
        return RemoteObject(self, StubRef(name), name)

    def prepare(self) -> None:
        """Starts the contestant ahead of its first use, without waiting for it."""
        self._contestant = self._contestant or self._start()

    def close(self) -> None:
        """Ends the contestant, if there is one."""
        if self._contestant is not None:
            self._contestant.end()
            self._contestant = None

    def provided(
        self,
        module: str,
        function: str,
        *args: Any,
        timeout_s: float,
        on_progress: Callable[[float], None] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Runs a function of the provided code in the contestant; `StubRef` stands for the student's stubs in it.

        ``on_progress`` is passed as the argument ``progress``. Results come without gradients.
        """
        if on_progress is not None:
            kwargs["progress"] = on_progress
        return self._call(
            ProvidedRef(module, function), None, args, kwargs, timeout_s=timeout_s, grad=True, echo=False
        )

    def _living(self) -> Contestant:
        if self._contestant is not None:
            self._left_s -= self._contestant.spent_s
            self._contestant.spent_s = 0.0
        if self._left_s <= 0:
            raise SubmissionFault("timeout", "no time is left for it")
        if self._contestant is None or not self._contestant.alive:
            self._contestant = self._start()
            self._loaded.clear()
        return self._contestant

    def _call(
        self,
        target: Ref,
        method: str | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        timeout_s: float | None = None,
        grad: bool | None = None,
        echo: bool | None = None,
    ) -> Any:
        contestant = self._living()
        if isinstance(target, StubRef) and target.name not in self._loaded:
            contestant.request("load", timeout_s=IMPORT_S, stub=target.name)
            self._loaded.add(target.name)
        callbacks: list[Callable[..., Any]] = []
        wanted_grad = torch.is_grad_enabled() if grad is None else grad
        wanted_echo = self._echo if echo is None else echo
        contestant.graphs += 1
        request = {
            "target": target,
            "method": method,
            "args": _outgoing(list(args), callbacks),
            "kwargs": _outgoing(kwargs, callbacks),
            "graph": contestant.graphs,
            "grad": wanted_grad,
            "echo": wanted_echo,
        }
        seconds = self._call_s if timeout_s is None else timeout_s
        reply = contestant.request("call", timeout_s=seconds, callbacks=callbacks, **request)
        if not isinstance(reply, dict) or "value" not in reply or not isinstance(reply.get("echo"), list):
            raise SubmissionFault("malformed", "an answer that is none")
        inputs = tensors_in([request["args"], request["kwargs"]])
        if wanted_echo:
            _copy_back(inputs, reply["echo"])
        value = _incoming(reply["value"], self)
        if timeout_s is None and wanted_grad:
            value = _connect(
                value, [x for x in inputs if x.requires_grad], _Graph(contestant, contestant.graphs, seconds)
            )
        return value


def _outgoing(value: Any, callbacks: list[Callable[..., Any]]) -> Any:
    """Arguments as they cross: proxies become references, functions of ours become callbacks."""
    if isinstance(value, RemoteObject):
        return value._ref
    if isinstance(value, dict):
        return {key: _outgoing(part, callbacks) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_outgoing(part, callbacks) for part in value)
    if callable(value) and not isinstance(value, (Tensor, nn.Module)):
        callbacks.append(value)
        return CallbackRef(len(callbacks) - 1)
    return value


def _incoming(value: Any, submission: Submission) -> Any:
    """An answer as checks see it: references to the contestant's objects become proxies."""
    if isinstance(value, ObjectRef):
        return RemoteObject(submission, value, value.type_name)
    if isinstance(value, dict):
        return {key: _incoming(part, submission) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_incoming(part, submission) for part in value)
    return value


def _copy_back(inputs: list[Tensor], echo: list[Any]) -> None:
    for ours, theirs in zip(inputs, echo, strict=False):
        if isinstance(theirs, Tensor) and theirs.dtype == ours.dtype:
            # Through .data a leaf that requires a gradient may be changed too; a shape may be, as by x.unsqueeze_(0).
            if theirs.shape == ours.shape:
                ours.data.copy_(theirs)
            elif not ours.requires_grad:
                ours.data = theirs.detach()


@dataclass
class _Graph:
    """The contestant's end of one call's graph, given up when the last result of the call is."""

    contestant: Contestant
    number: int
    timeout_s: float

    def __post_init__(self) -> None:
        weakref.finalize(self, self.contestant.released.append, self.number)

    def backward(self, grads: list[Tensor], shapes: list[torch.Size]) -> list[Tensor]:
        answer = self.contestant.request("backward", timeout_s=self.timeout_s, graph=self.number, grads=grads)
        if not isinstance(answer, list) or len(answer) != len(shapes):
            raise SubmissionFault("malformed", "gradients that do not fit the inputs")
        for grad, shape in zip(answer, shapes, strict=True):
            fits = isinstance(grad, Tensor) and grad.shape == shape and grad.is_floating_point()
            if grad is not None and not fits:
                raise SubmissionFault("malformed", "gradients that do not fit the inputs")
        return answer


class _RemoteCall(torch.autograd.Function):
    """Ties results to inputs: its backward asks the contestant for the vector-Jacobian product."""

    @staticmethod
    def forward(
        ctx: Any, graph: _Graph, outputs: list[Tensor], anchor: Tensor, *inputs: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.graph, ctx.shapes = graph, [x.shape for x in inputs]
        return tuple(x.detach() for x in outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, None, None, *ctx.graph.backward(list(grads), ctx.shapes)


def _connect(value: Any, inputs: list[Tensor], graph: _Graph) -> Any:
    """The same value, its tensors that carry a gradient over there now carrying one here."""
    outputs = [x for x in tensors_in(value) if x.requires_grad]
    if not outputs:
        return value
    # The anchor makes results require a gradient even where no input does: a module's parameters may.
    anchor = torch.zeros((), requires_grad=True)
    connected = iter(_RemoteCall.apply(graph, outputs, anchor, *inputs))  # type: ignore[no-untyped-call]

    def swap(part: Any) -> Any:
        if isinstance(part, Tensor):
            return next(connected) if part.requires_grad else part
        if isinstance(part, dict):
            return {key: swap(item) for key, item in part.items()}
        if isinstance(part, (list, tuple)):
            return type(part)(swap(item) for item in part)
        return part

    return swap(value)


class RemoteObject:
    """A stub, or an object that the student's code made (a module, say), used as if it were here."""

    def __init__(self, submission: Submission, ref: Ref, type_name: str) -> None:
        self._submission, self._ref, self.type_name = submission, ref, type_name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._submission._call(self._ref, None, args, kwargs)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def method(*args: Any, **kwargs: Any) -> Any:
            return self._submission._call(self._ref, name, args, kwargs)

        return method

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Copies of a module's parameters with their gradients, as they are now."""
        answer = self._submission._living().request(
            "parameters", timeout_s=self._submission._call_s, target=self._ref
        )
        for entry in answer if isinstance(answer, list) else [None]:
            if not isinstance(entry, tuple) or len(entry) != 4 or not isinstance(entry[1], Tensor):
                raise SubmissionFault("malformed", "parameters that are none")
            name, data, requires_grad, grad = entry
            parameter = nn.Parameter(data, requires_grad=requires_grad is True and data.is_floating_point())
            if isinstance(grad, Tensor) and grad.shape == data.shape and grad.dtype == data.dtype:
                parameter.grad = grad
            yield str(name), parameter

    def state_dict(self) -> dict[str, Tensor]:
        """A copy of a module's state.

        Raises:
            SubmissionFault: what came is no dict of tensors.
        """
        with torch.no_grad():
            answer = self._submission._call(self._ref, "state_dict", (), {})
        if not isinstance(answer, dict) or not all(isinstance(value, Tensor) for value in answer.values()):
            raise SubmissionFault("malformed", "a state_dict() that is no dict of tensors")
        return {name: value.detach() for name, value in answer.items()}


@dataclass(frozen=True)
class SubmissionFolder:
    """Where a submission was put together, and how to run it: what another process of the judge needs to know."""

    folder: Path
    package: str
    stubs: dict[str, str]
    isolation: Isolation

    def start(self, contestants: Contestants) -> Contestant:
        """A contestant with this submission in it."""
        return contestants.start(self.folder, self.package, self.stubs)

    @contextmanager
    def open(self, call_s: float = CALL_S) -> Iterator[Submission]:
        """The submission with contestants of its own, for training: arguments are not copied back."""
        with Contestants(self.isolation) as contestants:
            submission = Submission(
                lambda: self.start(contestants), self.stubs, call_s=call_s, all_calls_s=math.inf, echo=False
            )
            try:
                yield submission
            finally:
                submission.close()
