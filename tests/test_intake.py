"""Intake: what is in a hand-in is found wherever it lies, and nothing else is taken."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from autograder import intake
from autograder.assignment import Assignment
from autograder.intake import HandIn, IntakeError, take_in

STUBS = {"resnet.py": b"r = 1\n", "losses.py": b"l = 1\n", "attacks.py": b"a = 1\n"}
NOTEBOOK = b'{"cells": [{"metadata": {"nbgrader": {"grade_id": "q1_seeds"}}, "source": "x"}]}'
STUDENT = 'name = "سارا"\nnumber = "12"\n'.encode()


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes], extra: list[tarfile.TarInfo] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in extra or []:
            archive.addfile(entry)
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def folder(path: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


WAYS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "folder": lambda place, members: folder(place / "work", members),
    "zip": lambda place, members: zipped(place / "work.zip", members),
    "tar.gz": lambda place, members: tarred(place / "work.tar.gz", members),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("level", ["", "hw1/", "Ali Rezaei (1)/hw1/", "تمرین ۱/"])
def test_the_same_work_is_the_same_hand_in(tmp_path: Path, assignment: Assignment, way: str, level: str) -> None:
    members = {f"{level}{name}": content for name, content in {**STUBS, "student.toml": STUDENT}.items()}
    taken = take_in(WAYS[way](tmp_path, members), assignment)
    assert taken.files == STUBS
    assert taken.missing == frozenset()
    assert (taken.student.name, taken.student.number) == ("سارا", "12")
    assert taken.sha256 == take_in(folder(tmp_path / "plain", STUBS), assignment).sha256


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_code_of_the_students_is_left_out(tmp_path: Path, assignment: Assignment, way: str) -> None:
    more = {
        "__MACOSX/resnet.py": b"",
        "tests/test_losses.py": b"",
        "conftest.py": b"",
        "sitecustomize.py": b"",
        "__init__.py": b"",
        "training.py": b"stolen = 1",
        ".venv/lib/torch.py": b"",
        "weights.pt": b"\x80",
        "mine/layers.py": b"x = 1",
    }
    taken = take_in(WAYS[way](tmp_path, {**STUBS, **more}), assignment)
    assert set(taken.files) == {*STUBS, "mine/layers.py"}


def test_the_assembled_package_has_the_kits_provided_code(tmp_path: Path, assignment: Assignment) -> None:
    taken = take_in(folder(tmp_path / "work", {**STUBS, "training.py": b"stolen = 1"}), assignment)
    taken.assemble(assignment, tmp_path / "place")
    package = tmp_path / "place" / "hw1"
    assert (package / "training.py").read_bytes() == (assignment.folder / "training.py").read_bytes()
    assert (package / "losses.py").read_bytes() == STUBS["losses.py"]
    assert not (package / "grading").exists() and not (package / "tests").exists()


def test_a_missing_module_is_told(tmp_path: Path, assignment: Assignment) -> None:
    taken = take_in(folder(tmp_path, {"losses.py": b""}), assignment)
    assert taken.missing == {"resnet", "attacks"}


@pytest.mark.parametrize(
    "name", ["../resnet.py", "/resnet.py", "a/../../resnet.py", "C:\\resnet.py", "x/" * 20 + "resnet.py"]
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_elsewhere_are_not_taken(
    tmp_path: Path, assignment: Assignment, name: str, pack: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    taken = take_in(pack(tmp_path / "work", {"losses.py": b"", name: b"evil"}), assignment)
    assert set(taken.files) == {"losses.py"}


def test_links_and_devices_are_not_followed(tmp_path: Path, assignment: Assignment) -> None:
    secret = tmp_path / "secret.py"
    secret.write_bytes(b"secret")
    work = folder(tmp_path / "work", {"losses.py": b""})
    (work / "resnet.py").symlink_to(secret)
    (work / "same.py").hardlink_to(secret)
    os.mkfifo(work / "attacks.py")
    assert set(take_in(work, assignment).files) == {"losses.py", "same.py"}
    entries = []
    for name, kind in {"resnet.py": tarfile.SYMTYPE, "attacks.py": tarfile.LNKTYPE, "x.py": tarfile.CHRTYPE}.items():
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, str(secret)
        entries.append(entry)
    assert set(take_in(tarred(tmp_path / "work.tgz", {"losses.py": b""}, entries), assignment).files) == {"losses.py"}


def test_a_zip_bomb_costs_a_line(tmp_path: Path, assignment: Assignment) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {**STUBS, "more.py": bytes(50 << 20)})
    with pytest.raises(IntakeError, match="too large"):
        take_in(bomb, assignment)


def test_a_tar_bomb_costs_a_line(tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_UNPACKED_BYTES", 1 << 20)
    with pytest.raises(IntakeError, match="unpacks to more"):
        take_in(tarred(tmp_path / "bomb.tar.gz", {"zeros.bin": bytes(4 << 20), **STUBS}), assignment)


@pytest.mark.parametrize("way", WAYS)
def test_too_many_files_cost_a_line(
    tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(intake, "MAX_ENTRIES", 20)
    many = {f"{i}.py": b"" for i in range(30)}
    with pytest.raises(IntakeError, match="more than 20 files"):
        take_in(WAYS[way](tmp_path, {**STUBS, **many}), assignment)


def test_what_is_no_hand_in_costs_a_line(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("this is no archive")
    whole = zipped(tmp_path / "whole.zip", STUBS).read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    of_two_disks = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 2)
    (tmp_path / "one of two.zip").write_bytes(whole[:-22] + of_two_disks + whole[-22:])
    for name in ("nothing", "empty", "text.zip", "half.zip", "one of two.zip"):
        with pytest.raises(IntakeError) as caught:
            take_in(tmp_path / name, assignment)
        assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name = ", b"name = 3\nnumber = [1]", b"[" * 5000])
def test_an_unreadable_identity_costs_nothing(tmp_path: Path, assignment: Assignment, content: bytes) -> None:
    taken: HandIn = take_in(folder(tmp_path, {**STUBS, "student.toml": content}), assignment)
    assert taken.files == STUBS


# --- any bytes ---------------------------------------------------------------------------------------------

MOST_BYTES = 48 << 20
"""Of memory that taking one hand-in may need: the Python files that may be kept, and as much again to read them."""


def taken_or_refused(place: Path, assignment: Assignment) -> None:
    """Takes a hand-in; whatever it is, it must be taken or refused in one line, within memory."""
    tracemalloc.start()
    try:
        taken = take_in(place, assignment)
        assert set(taken.files) and all(not name.startswith("/") and ".." not in name for name in taken.files)
        with tempfile.TemporaryDirectory() as folder:
            taken.assemble(assignment, Path(folder))
            assert {path.name for path in Path(folder).iterdir()} == {assignment.name}
    except IntakeError as refusal:
        assert "\n" not in str(refusal)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MOST_BYTES


def samples() -> dict[str, bytes]:
    """The bytes of a small hand-in, packed in every way."""
    members = {**STUBS, "a/b.py": b"x = 1\n" * 50, "student.toml": STUDENT, "q1_a_base.ipynb": NOTEBOOK}
    bare = io.BytesIO()
    with tarfile.open(fileobj=bare, mode="w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with tempfile.TemporaryDirectory() as folder:
        zip_ = zipped(Path(folder, "work"), members).read_bytes()
    ways: dict[str, Callable[[bytes], bytes]] = {
        "tar": bytes,
        "tar.gz": gzip.compress,
        "tar.bz2": bz2.compress,
        "tar.xz": lzma.compress,
    }
    return {"zip": zip_, **{way: pack(bare.getvalue()) for way, pack in ways.items()}}


SAMPLES = samples()

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "repeat"]),
        st.integers(0, 1 << 16),
        st.binary(min_size=1, max_size=8),
    ),
    max_size=6,
)


def changed(content: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    """The bytes with each change made at its place, counted round and round."""
    for kind, where, new in changes:
        at = where % (len(content) + 1)
        if kind == "set":
            content = content[:at] + new + content[at + len(new) :]
        elif kind == "cut":
            content = content[:at] + content[at + len(new) * 16 :]
        elif kind == "insert":
            content = content[:at] + new + content[at:]
        else:
            content = content[:at] + content[at : at + 600] * 3 + content[at:]
    return content


# Generated anew from the same seed each time; a failure is told as it is, since shrinking takes long.
QUICKLY = settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate])


@pytest.mark.parametrize("kind", SAMPLES)
@QUICKLY
@given(changes=CHANGES)
def test_any_archive_is_taken_or_refused(
    assignment: Assignment, kind: str, changes: list[tuple[str, int, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "work.zip")
        path.write_bytes(changed(SAMPLES[kind], changes))
        taken_or_refused(path, assignment)


PARTS = st.sampled_from(
    [
        "losses.py",
        "hw1",
        "..",
        ".",
        "",
        "تمرین",
        "a\nb",
        "\u202e.py",
        "C:\\x.py",
        "x" * 300,
        "__init__.py",
        "q1_a_base.ipynb",
    ]
)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join).filter(bool)


@pytest.mark.parametrize("pack", [zipped, tarred])
@QUICKLY
@given(members=st.dictionaries(NAMES, st.binary(max_size=40), max_size=8))
def test_any_names_are_taken_or_refused(
    assignment: Assignment, pack: Callable[[Path, dict[str, bytes]], Path], members: dict[str, bytes]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        taken_or_refused(pack(Path(folder, "work"), members), assignment)


FILE = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
KINDS = st.sampled_from(["file", "folder", "link", "pipe"])


@QUICKLY
@given(
    entries=st.dictionaries(
        FILE | st.sampled_from(["losses.py", "hw1", "student.toml", "q1_a_base.ipynb"]), KINDS, max_size=8
    )
)
def test_any_folder_is_taken_or_refused(assignment: Assignment, entries: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "work")
        place.mkdir()
        for name, kind in entries.items():
            path = place / name
            if name in (".", "..") or os.path.lexists(path):
                continue
            if kind == "file":
                path.write_bytes(name.encode())
            elif kind == "folder":
                path.mkdir()
                (path / "losses.py").write_text("x = 1\n")
            elif kind == "link":
                path.symlink_to("/etc/passwd" if len(name) % 2 else place)
            else:
                os.mkfifo(path)
        taken_or_refused(place, assignment)


@QUICKLY
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: f"name = {text}".encode(errors="replace"))
)
def test_any_identity_is_read_or_left_empty(content: bytes) -> None:
    student = intake._identity(content)
    assert len(student.name) <= intake.MAX_NAME and len(student.number) <= intake.MAX_NAME
