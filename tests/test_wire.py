"""The wire: what crosses comes back the same, and no bytes make the reader do worse than raise `WireError`."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import time
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.wire import (
    DTYPES,
    HEADER,
    CallbackRef,
    Channel,
    Closed,
    Late,
    ObjectRef,
    Opaque,
    ProvidedRef,
    StubRef,
    WireError,
    decode,
    encode,
)


def round_trip(value: Any) -> Any:
    text, blobs = encode(value, lambda item: Opaque(type(item).__name__))
    return decode(text, bytearray(b"".join(blobs)))


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES.keys())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 5)], ids=str)
def test_tensors_of_every_dtype_and_shape_come_back(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    x = (torch.arange(math.prod(shape)) - 2).reshape(shape).to(dtype)
    back = round_trip([x, x])[1]
    assert back.dtype == dtype and back.shape == x.shape and torch.equal(back, x)


def test_what_a_tensor_is_like_does_not_matter() -> None:
    odd = [
        torch.arange(6.0).reshape(2, 3).T,
        torch.ones(1).expand(4),
        torch.zeros(1).sum().expand(1),
        torch.eye(3)[::2],
    ]
    for x in odd:
        assert torch.equal(round_trip(x), x)
    assert round_trip(torch.ones(2, requires_grad=True)).requires_grad
    assert not round_trip(torch.ones(2)).requires_grad


def test_plain_values_and_references_come_back() -> None:
    value = {
        "a": [1, -2.5, None, True, "میزان\0\u202e"],
        "b": (StubRef("CircleLoss"), ProvidedRef("m", "f"), ObjectRef(3, "Module"), CallbackRef(0)),
        "inf": float("inf"),
    }
    assert round_trip(value) == value


@pytest.mark.parametrize(
    "value", [torch.eye(2).to_sparse(), torch.empty(2, device="meta"), torch.ones(2, dtype=torch.complex64), object()]
)
def test_what_cannot_cross_is_named(value: Any) -> None:
    assert isinstance(round_trip(value), Opaque)


def tensor(**changes: Any) -> bytes:
    return json.dumps({"$": "tensor", "dtype": "float32", "shape": [2], "at": 0, "grad": False, **changes}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"$": "nothing"}',
        b'{"$": ["tensor"]}',
        b'{"$": "StubRef"}',
        b'{"$": "StubRef", "name": 3}',
        b'{"$": "dict", "items": [1]}',
        b'{"$": "dict", "items": [[1, 2]]}',
        b'{"$": "tuple", "items": 3}',
        b"9" * 5000,
        b"[" * 40 + b"]" * 40,
        b"[" + b"0," * 300_000 + b"0]",
        tensor(dtype="object"),
        tensor(dtype=None),
        tensor(shape=[-1]),
        tensor(shape=[2.0]),
        tensor(shape=[True]),
        tensor(shape=[1] * 1000),
        tensor(shape=[1 << 62, 4]),
        tensor(shape=[1 << 20] * 8),
        tensor(at=-4),
        tensor(at=2),
        tensor(at=4),
        tensor(at=1 << 70),
        tensor(grad=1),
        b"[" + tensor(shape=[1]) + b"," + tensor(shape=[2]) + b"]",
        json.dumps("a" * 5000).encode(),
        json.dumps({"$": "Opaque", "type_name": "a" * 5000}).encode(),
        json.dumps({"$": "dict", "items": [["a" * 5000, 1]]}).encode(),
    ],
    ids=range(31),
)
def test_malformed_frames_are_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        decode(text, bytearray(8))


@pytest.mark.parametrize(
    "value", ["\ud800", {"$": "Opaque", "type_name": "\udfff"}, {"$": "dict", "items": [["\ud800\ud800", None]]}]
)
def test_what_no_file_can_hold_is_made_sound(value: Any) -> None:
    assert "?" in repr(decode(json.dumps(value).encode(), bytearray())).encode().decode()


def test_a_bool_tensor_of_other_bytes_is_made_sound() -> None:
    text = json.dumps({"$": "tensor", "dtype": "bool", "shape": [3], "at": 0, "grad": False}).encode()
    assert decode(text, bytearray([0, 7, 255])).tolist() == [False, True, True]


@settings(max_examples=300, deadline=None)
@given(text=st.binary(max_size=200), blob=st.binary(max_size=64))
def test_any_bytes_decode_or_are_refused(text: bytes, blob: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(text, bytearray(blob))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["$", "items", "dtype", "shape", "at", "grad", "name"]), inner, max_size=6)
        | st.fixed_dictionaries(
            {"$": st.just("tensor"), "dtype": st.sampled_from([*DTYPES, "x"]), "shape": st.lists(st.integers(-2, 9)),
             "at": st.integers(-64, 128), "grad": st.booleans()}
        )
    ),
    max_leaves=20,
)  # fmt: skip


def weight(value: Any) -> int:
    """Bytes of all tensors in a value; every text in it can be written down."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.itemsize
    if isinstance(value, (list, tuple)):
        return sum(map(weight, value))
    if isinstance(value, dict):
        return weight(list(value)) + weight(list(value.values()))
    if isinstance(value, (str, Opaque, StubRef, ObjectRef)):
        repr(value).encode("utf-8")
    return 0


@settings(max_examples=300, deadline=None)
@given(value=JSON, blob=st.binary(max_size=256))
def test_any_json_decodes_to_no_more_than_was_sent_or_is_refused(value: Any, blob: bytes) -> None:
    with contextlib.suppress(WireError):
        assert weight(decode(json.dumps(value).encode(), bytearray(blob))) <= len(blob)


@settings(max_examples=200, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(max_size=4), inner, max_size=4)
            | st.tuples(inner, inner)
            | st.builds(Opaque, st.text(max_size=4))
        ),
        max_leaves=20,
    )
)
def test_what_is_encoded_comes_back(value: Any) -> None:
    assert round_trip(value) == value


@settings(max_examples=100, deadline=None)
@given(stream=st.binary(max_size=300) | st.tuples(st.integers(0, 300), st.integers(0, 300), st.binary(max_size=300)))
def test_any_stream_gives_a_value_or_an_error_of_the_wire(stream: bytes | tuple[int, int, bytes]) -> None:
    channel, theirs = pair()
    with contextlib.closing(channel), contextlib.suppress(WireError, Closed, Late):
        theirs.sendall(stream if isinstance(stream, bytes) else HEADER.pack(*stream[:2]) + stream[2])
        theirs.close()
        while True:
            channel.receive(time.monotonic() + 5)


def pair(max_bytes: int = 1 << 20) -> tuple[Channel, socket.socket]:
    ours, theirs = socket.socketpair()
    return Channel(ours, max_bytes), theirs


@pytest.mark.parametrize("sizes", [(1 << 31, 0), (2, 1 << 40), (2, 1 << 21)], ids=str)
def test_a_frame_that_promises_too_much_is_refused_before_it_is_read(sizes: tuple[int, int]) -> None:
    channel, theirs = pair()
    theirs.sendall(HEADER.pack(*sizes) + b"{}")
    with pytest.raises(WireError):
        channel.receive(time.monotonic() + 5)


def test_half_a_frame_is_late_and_none_is_closed() -> None:
    channel, theirs = pair()
    theirs.sendall(HEADER.pack(2, 0) + b"{")
    with pytest.raises(Late):
        channel.receive(time.monotonic() + 0.05)
    theirs.close()
    with pytest.raises(Closed):
        channel.receive(time.monotonic() + 5)


def test_a_reader_that_does_not_read_makes_the_sender_late() -> None:
    channel, _theirs = pair()
    with pytest.raises(Late):
        channel.send(torch.zeros(1 << 22), Opaque, time.monotonic() + 0.05)
