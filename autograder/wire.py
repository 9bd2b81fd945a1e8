"""The wire between judge and contestant: frames of JSON and raw tensor bytes over a stream socket.

A frame is ``struct ">IQ"`` (bytes of JSON, bytes of tensors), the JSON, the tensors' bytes one after the other,
each aligned to `ALIGNMENT`. Nothing is ever pickled, and what comes in is bounded before it is read: a peer can
make the reader raise `WireError`, never crash it, hang it past its deadline or allocate more than its limit.

Both sides use this module, so it knows nothing of either.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ALIGNMENT = 64
MAX_JSON_BYTES = 8 << 20
MAX_FRAME_BYTES = 1 << 30
MAX_DEPTH = 24
MAX_NODES = 200_000
MAX_DIMENSIONS = 16
MAX_TEXT = 4096
"""Letters of one text: names, and the words of an error."""
HEADER = struct.Struct(">IQ")

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.float16, torch.bfloat16, torch.float32, torch.float64,
    )
}  # fmt: skip
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class WireError(Exception):
    """What came over the wire is no frame of this protocol, or a larger one than allowed."""


class Closed(Exception):
    """The other side is gone."""


class Late(Exception):
    """The deadline passed before the frame was whole."""


@dataclass(frozen=True)
class StubRef:
    """Stands for a stub of the student's, by name; the contestant puts the stub itself in its place."""

    name: str


@dataclass(frozen=True)
class ProvidedRef:
    """Stands for a function of the provided code, by module and name."""

    module: str
    name: str


@dataclass(frozen=True)
class ObjectRef:
    """Stands for an object that lives on the contestant's side, such as a module the student's code made."""

    number: int
    type_name: str


@dataclass(frozen=True)
class CallbackRef:
    """Stands for a function that lives on the judge's side; the contestant can call it, and waits for its answer."""

    number: int


@dataclass(frozen=True)
class Opaque:
    """Stands for a value that cannot cross, by the name of its type."""

    type_name: str


Ref = StubRef | ProvidedRef | ObjectRef | CallbackRef | Opaque
_REFS: dict[str, type[Ref]] = {ref.__name__: ref for ref in (StubRef, ProvidedRef, ObjectRef, CallbackRef, Opaque)}
_FIELDS: dict[type[Ref], dict[str, type]] = {
    StubRef: {"name": str},
    ProvidedRef: {"module": str, "name": str},
    ObjectRef: {"number": int, "type_name": str},
    CallbackRef: {"number": int},
    Opaque: {"type_name": str},
}


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def encode(value: Any, other: Callable[[Any], Ref]) -> tuple[bytes, list[memoryview]]:
    """A value as JSON and the bytes of its tensors.

    Tensors keep dtype, shape and whether they require a gradient. None, bool, int, float, str, list, tuple and
    dict with string keys cross as they are; for anything else ``other`` gives what shall stand for it.
    """
    blobs: list[memoryview] = []
    size = 0

    def tensor(x: Tensor) -> Any:
        nonlocal size
        if x.layout is not torch.strided or x.dtype not in DTYPE_NAMES or x.device.type == "meta":
            return node(Opaque(f"{type(x).__name__} ({x.layout}, {x.dtype}, {x.device})"))
        data = memoryview(b"")
        if x.numel():
            flat = x.detach().cpu().contiguous().reshape(-1)
            # torch reads one element of any stride as contiguous, but will not view it as bytes.
            flat = flat.as_strided((x.numel(),), (1,))
            data = memoryview(flat.view(torch.uint8).numpy().data).cast("B")
        at, padding = size, _aligned(len(data)) - len(data)
        blobs.append(data)
        if padding:
            blobs.append(memoryview(bytes(padding)))
        size += len(data) + padding
        return {
            "$": "tensor",
            "dtype": DTYPE_NAMES[x.dtype],
            "shape": list(x.shape),
            "at": at,
            "grad": x.requires_grad,
        }

    def node(item: Any) -> Any:
        if item is None or isinstance(item, (bool, str)):
            return item
        if isinstance(item, int):
            return int(item)
        if isinstance(item, float):
            return float(item)
        if isinstance(item, Tensor):
            return tensor(item)
        if isinstance(item, list):
            return [node(part) for part in item]
        if isinstance(item, tuple):
            return {"$": "tuple", "items": [node(part) for part in item]}
        if isinstance(item, dict) and all(isinstance(key, str) for key in item):
            return {"$": "dict", "items": [[key, node(part)] for key, part in item.items()]}
        if isinstance(item, tuple(_REFS.values())):
            return {"$": type(item).__name__, **{name: getattr(item, name) for name in _FIELDS[type(item)]}}  # type: ignore[index]
        return node(other(item))

    return json.dumps(node(value)).encode(), blobs


def decode(text: bytes, blob: bytearray) -> Any:
    """The value that `encode` made these bytes of; objects that stand for something come back as `Ref`.

    Raises:
        WireError: the bytes are not what `encode` makes.
    """
    nodes = claimed = 0

    def tensor(item: dict[str, Any]) -> Tensor:
        nonlocal claimed
        dtype, shape, at, grad = (item.get(key) for key in ("dtype", "shape", "at", "grad"))
        if not isinstance(dtype, str) or dtype not in DTYPES or type(at) is not int or type(grad) is not bool:
            raise WireError("malformed tensor")
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise WireError("malformed shape")
        if any(type(side) is not int or not 0 <= side <= MAX_FRAME_BYTES for side in shape):
            raise WireError("impossible shape")
        kind, count = DTYPES[dtype], math.prod(shape)
        if at < 0 or at % kind.itemsize or at + count * kind.itemsize > len(blob):
            raise WireError("tensor outside of its frame")
        claimed += count * kind.itemsize
        if claimed > len(blob):  # each is copied: many over the same bytes would be far more than was sent
            raise WireError("tensors that share their bytes")
        if not count:
            made = torch.empty(shape, dtype=kind)
        elif kind is torch.bool:  # any byte but 0 and 1 would be undefined behaviour in a bool tensor
            made = torch.frombuffer(blob, dtype=torch.uint8, count=count, offset=at).ne(0).reshape(shape)
        else:
            made = torch.frombuffer(blob, dtype=kind, count=count, offset=at).clone().reshape(shape)
        return made.requires_grad_() if grad and kind.is_floating_point else made

    def sound(words: str) -> str:
        """Words that can be written down: half a surrogate pair is no letter in any encoding."""
        if len(words) > MAX_TEXT:
            raise WireError("a text that is too long")
        return words.encode("utf-8", "replace").decode()

    def value(item: Any, depth: int) -> Any:
        nonlocal nodes
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise WireError("value too deep or too large")
        if item is None or isinstance(item, (bool, int, float)):
            return item
        if isinstance(item, str):
            return sound(item)
        if isinstance(item, list):
            return [value(part, depth + 1) for part in item]
        kind = item.get("$")
        if kind == "tensor":
            return tensor(item)
        items = item.get("items")
        if kind == "tuple" and isinstance(items, list):
            return tuple(value(part, depth + 1) for part in items)
        if kind == "dict" and isinstance(items, list):
            if not all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in items):
                raise WireError("malformed dict")
            return {sound(key): value(part, depth + 1) for key, part in items}
        if isinstance(kind, str) and kind in _REFS:
            fields = _FIELDS[_REFS[kind]]
            if set(item) != {"$", *fields} or any(type(item[name]) is not of for name, of in fields.items()):
                raise WireError("malformed reference")
            return _REFS[kind](**{name: value(item[name], depth + 1) for name in fields})
        raise WireError("unknown kind of value")

    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise WireError("not JSON") from problem
    return value(tree, 0)


class Channel:
    """One end of the wire.

    Args:
        sock: a connected stream socket; the channel closes it.
        max_bytes: the largest frame it reads.
    """

    def __init__(self, sock: socket.socket, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self.sock = sock
        self.max_bytes = max_bytes

    def send(self, value: Any, other: Callable[[Any], Ref], deadline: float | None = None) -> None:
        """Sends one value.

        Raises:
            Closed: nobody reads any more.
            Late: the other side did not read it by ``deadline`` (`time.monotonic`).
        """
        text, blobs = encode(value, other)
        try:
            self.sock.settimeout(_remaining(deadline))
            self.sock.sendall(HEADER.pack(len(text), sum(map(len, blobs))) + text)
            for blob in blobs:
                self.sock.settimeout(_remaining(deadline))
                self.sock.sendall(blob)
        except TimeoutError as problem:
            raise Late from problem
        except OSError as problem:
            raise Closed from problem

    def receive(self, deadline: float | None = None) -> Any:
        """Waits for one value.

        Raises:
            Closed, Late, WireError.
        """
        text_size, blob_size = HEADER.unpack(self._read(HEADER.size, deadline))
        if text_size > MAX_JSON_BYTES or blob_size > self.max_bytes:
            raise WireError(f"frame of {text_size} + {blob_size} bytes is larger than allowed")
        text = bytes(self._read(text_size, deadline))
        return decode(text, self._read(blob_size, deadline))

    def _read(self, size: int, deadline: float | None) -> bytearray:
        # Grown as bytes arrive: a header that only promises a gigabyte must not cost one.
        data = bytearray()
        while len(data) < size:
            try:
                self.sock.settimeout(_remaining(deadline))
                part = self.sock.recv(min(size - len(data), 1 << 20))
            except TimeoutError as problem:
                raise Late from problem
            except OSError as problem:
                raise Closed from problem
            if not part:
                raise Closed
            data += part
        return data

    def close(self) -> None:
        """Closes the socket."""
        self.sock.close()


def _remaining(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise Late
    return left
