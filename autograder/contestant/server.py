"""A contestant: imports the student's code and answers calls to it until the wire closes.

Whatever this process says is an answer to be judged, never a verdict: student code runs in it and may have
changed every line of it.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autograder.wire import CallbackRef, Channel, Closed, ObjectRef, Opaque, ProvidedRef, Ref, StubRef

MAX_TEXT = 2000


@dataclass
class Graph:
    """What `backward` needs of a finished call: its inputs that require a gradient, and its outputs that have one."""

    leaves: list[Tensor]
    outputs: list[Tensor]


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples and dicts, in the order in which they cross the wire."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []


@dataclass
class Server:
    """Answers requests. ``stubs`` maps each stub to its module of ``package``; objects live until the end."""

    channel: Channel
    folder: Path
    package: str
    stubs: dict[str, str]
    objects: dict[int, Any] = field(default_factory=dict)
    graphs: dict[int, Graph] = field(default_factory=dict)

    def serve(self) -> None:
        """Answers one request after the other until the other side closes."""
        while True:
            try:
                request = self.channel.receive()
            except Closed:
                return
            self.channel.send(self.answer(request), self.other)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request; what the student's code raises becomes part of it."""
        for number in request.get("release", ()):
            self.graphs.pop(number, None)
        try:
            return {"value": getattr(self, request["op"])(**request["arguments"])}
        except BaseException as problem:  # SystemExit and KeyboardInterrupt are the student's too
            return {"error": self.describe(problem)}

    def describe(self, problem: BaseException) -> dict[str, Any]:
        """What was raised, and the last line of the student's own that it came through."""
        file, line = "", 0
        for frame in traceback.extract_tb(problem.__traceback__):
            path = Path(frame.filename)
            if path.is_relative_to(self.folder):
                file, line = path.relative_to(self.folder / self.package).as_posix(), frame.lineno or 0
        if isinstance(problem, SyntaxError) and problem.filename:
            file, line = Path(problem.filename).name, problem.lineno or 0
        return {"type": type(problem).__name__, "text": str(problem)[:MAX_TEXT], "file": file, "line": line}

    def other(self, item: Any) -> Ref:
        """What stands on the wire for an object that cannot cross it."""
        if not callable(item):
            return Opaque(type(item).__name__[:MAX_TEXT])
        number = next((n for n, known in self.objects.items() if known is item), len(self.objects))
        self.objects[number] = item
        return ObjectRef(number, type(item).__name__[:MAX_TEXT])

    def resolve(self, value: Any) -> Any:
        """Puts the real thing where a reference stands."""
        if isinstance(value, StubRef):
            return getattr(importlib.import_module(f"{self.package}.{self.stubs[value.name]}"), value.name)
        if isinstance(value, ProvidedRef):
            return getattr(importlib.import_module(f"{self.package}.{value.module}"), value.name)
        if isinstance(value, ObjectRef):
            return self.objects[value.number]
        if isinstance(value, CallbackRef):
            return self.callback(value)
        if isinstance(value, dict):
            return {key: self.resolve(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.resolve(part) for part in value)
        return value

    def callback(self, ref: CallbackRef) -> Callable[..., Any]:
        """A function that asks the judge and waits for its answer."""

        def ask(*arguments: Any) -> Any:
            self.channel.send({"callback": ref.number, "arguments": list(arguments)}, self.other)
            reply = self.channel.receive()
            if "error" in reply:
                raise RuntimeError(reply["error"])
            return reply["value"]

        return ask

    # The operations. Their names and arguments are the protocol.

    def load(self, stub: str) -> None:
        """Imports the module of a stub."""
        self.resolve(StubRef(stub))

    def call(
        self,
        target: Any,
        method: str | None,
        args: list[Any],
        kwargs: dict[str, Any],
        graph: int,
        grad: bool,
        echo: bool,
    ) -> dict[str, Any]:
        """Calls a stub, an object or its method. ``graph`` is the number to keep the call's graph under.

        The reply holds the value, and with ``echo`` the inputs' tensors as they are after the call.
        """
        function = self.resolve(target)
        if method is not None:
            function = getattr(function, method)
        inputs = tensors_in([args, kwargs])
        with torch.set_grad_enabled(grad):
            value = function(*self.resolve(args), **self.resolve(kwargs))
        outputs = [tensor for tensor in tensors_in(value) if tensor.requires_grad]
        if grad and outputs:
            self.graphs[graph] = Graph([x for x in inputs if x.requires_grad], outputs)
        return {"value": value, "echo": [x.detach() for x in inputs] if echo else []}

    def backward(self, graph: int, grads: list[Tensor]) -> list[Tensor | None]:
        """The vector-Jacobian product of a finished call; parameters of modules gather their gradients as always."""
        kept = self.graphs[graph]
        for leaf in kept.leaves:
            leaf.grad = None
        torch.autograd.backward(kept.outputs, grads, retain_graph=True)
        return [leaf.grad for leaf in kept.leaves]

    def parameters(self, target: ObjectRef) -> list[tuple[str, Tensor, bool, Tensor | None]]:
        """Name, value, whether it is trained, and gradient of each parameter of a module."""
        module = self.resolve(target)
        return [(name, p.detach(), p.requires_grad, p.grad) for name, p in module.named_parameters()]
