"""Intake: what is in a hand-in is found wherever it lies, and nothing else is taken."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import intake
from autograder.assignment import Assignment
from autograder.intake import HandIn, IntakeError, take_in

STUBS = {"resnet.py": b"r = 1\n", "losses.py": b"l = 1\n", "attacks.py": b"a = 1\n"}
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
    for name in ("nothing", "empty", "text.zip", "half.zip"):
        with pytest.raises(IntakeError) as caught:
            take_in(tmp_path / name, assignment)
        assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name = ", b"name = 3\nnumber = [1]", b"[" * 5000])
def test_an_unreadable_identity_costs_nothing(tmp_path: Path, assignment: Assignment, content: bytes) -> None:
    taken: HandIn = take_in(folder(tmp_path, {**STUBS, "student.toml": content}), assignment)
    assert taken.files == STUBS
