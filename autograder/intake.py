"""Takes a hand-in: a folder, a zip or a tar archive from a stranger, and keeps of it only what is graded.

Nothing is unpacked to disk by its own name. Members are read one by one within limits; Python files, ``student.toml``
and the written answers of notebooks are kept in memory. A package is then put together from the kit's provided code
and the student's files, in which the student's can neither replace the kit's nor lie outside of it.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import stat
import struct
import tarfile
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder import answers
from autograder.answers import MAX_NOTEBOOK_BYTES, Notebook
from autograder.assignment import Assignment
from autograder.results import Student

MAX_ARCHIVE_BYTES = 64 << 20
MAX_UNPACKED_BYTES = 256 << 20
MAX_ENTRIES = 20_000
MAX_DIRECTORY_BYTES = 4 << 20
"""Of a zip's list of its members: enough for `MAX_ENTRIES` names of 150 letters."""
MAX_HEADER_BYTES = 64 << 10
"""Of what a tar tells of one member before its content."""
READ_BYTES = 16 << 10
"""How much of a tar is read at a time."""
MAX_FILE_BYTES = 1 << 20
MAX_KEPT_BYTES = 16 << 20
MAX_NOTEBOOKS_BYTES = 48 << 20
"""Of all notebooks together; ``pack.py`` takes as much. What is beyond is not read."""
MAX_IDENTITY_BYTES = 4 << 10
MAX_DEPTH = 8
MAX_NAME = 200
JOINER = "\u200c"
"""Persian is written with it (ZERO WIDTH NON-JOINER), and it turns nothing around."""
MAX_PART_BYTES = 255
"""Of one name in a path: what file systems take."""

IDENTITY = "student.toml"
SKIPPED_FOLDERS = {"__MACOSX", "__pycache__", "site-packages", "node_modules", "tests", "venv", "env"}
SKIPPED_FILES = {"__init__.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "setup.py"}

PACKERS: dict[bytes, Callable[[Path], io.BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
"""How a packed tar begins, and what opens it."""

UNREADABLE = b""
"""What stands for a notebook that cannot be read: its answers are lost, the rest of the hand-in is not."""

DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""All that the standard library's readers of archives are known to raise at damaged ones, but for OSError."""


class IntakeError(Exception):
    """The hand-in cannot be taken; one line that says why and what to do."""


@dataclass(frozen=True)
class HandIn:
    """What was taken.

    ``files`` maps paths within the package to bytes; ``missing`` are the stub modules it lacks; ``notebooks`` are
    those with written questions, by name, and ``sha256`` is of ``files`` alone: an answer changes no verdict.
    """

    path: Path
    sha256: str
    student: Student
    files: dict[str, bytes]
    missing: frozenset[str]
    notebooks: dict[str, Notebook] = field(default_factory=dict)

    def assemble(self, assignment: Assignment, folder: Path) -> None:
        """Writes the package ``folder/<assignment>`` of provided code and the student's files, for all to read."""
        package = folder / assignment.name
        names = ["__init__.py", *(f"{name}.py" for name in assignment.provided)]
        contents = {name: (assignment.folder / name).read_bytes() for name in names}
        for name, content in {**self.files, **contents}.items():
            target = package / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        # The contestant runs as another user, who may read and nothing else.
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def take_in(path: Path, assignment: Assignment) -> HandIn:
    """Reads a hand-in.

    Raises:
        IntakeError: there is none, it is no folder or archive, it is too large, or no stub's file is in it.
    """
    questions = assignment.questions
    notebooks = _Notebooks(
        frozenset(question.notebook for question in questions.values()),
        frozenset(question.cell for question in questions.values()),
    )
    members = dict(_members(path, notebooks))
    stub_files = {f"{module}.py" for module in assignment.stubs.values()}
    roots = [PurePosixPath(name).parent for name in members if PurePosixPath(name).name in stub_files]
    if not roots:
        wanted = ", ".join(sorted(stub_files))
        raise IntakeError(f"{path}: none of {wanted} is in it; hand in the folder that they lie in")
    # The shallowest, and among equals the first by name, so that an extra level or a stray copy changes nothing.
    root = min(roots, key=lambda parent: (len(parent.parts), str(parent)))
    reserved = SKIPPED_FILES | {f"{name}.py" for name in assignment.provided}
    files: dict[str, bytes] = {}
    student = Student()
    for name in sorted(members):
        inner = PurePosixPath(name)
        if not inner.is_relative_to(root):
            continue
        inner = inner.relative_to(root)
        if str(inner) == IDENTITY:
            student = _identity(members[name])
        elif inner.suffix == ".py" and inner.name not in SKIPPED_FILES and str(inner) not in reserved:
            files[str(inner)] = members[name]
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{len(name.encode('utf-8', 'surrogateescape'))}:{len(content)}:".encode())
        digest.update(name.encode("utf-8", "surrogateescape") + content)
    missing = frozenset(module for module in assignment.stubs.values() if f"{module}.py" not in files)
    return HandIn(path, digest.hexdigest(), student, files, missing, notebooks.beside(root))


def plain(text: str) -> str:
    """Text of a stranger's as one line: what could break a line, steer a terminal or be no letter is written out."""
    sound = text.encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() or letter == JOINER else ascii(letter)[1:-1] for letter in sound)


def _identity(content: bytes) -> Student:
    """Name and number from ``student.toml``; what cannot be read is left empty, for the grade does not hang on it."""
    if len(content) > MAX_IDENTITY_BYTES:
        return Student()
    try:
        entries = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # tomllib's own errors are ValueErrors too
        return Student()
    name, number = (entries.get(key, "") for key in ("name", "number"))
    return Student(name=_told(name), number=_told(number))


def _told(entry: object) -> str:
    """A name or a number as it was written; empty if it is neither."""
    return str(entry).strip()[:MAX_NAME] if isinstance(entry, (str, int)) else ""


class _Notebooks:
    """The notebooks of a hand-in, reduced to their answers one by one: they can be as large as all else together.

    Args:
        names: of the files that are looked for.
        cells: of the answers in them.
    """

    def __init__(self, names: frozenset[str], cells: frozenset[str]) -> None:
        self.names, self.cells = names, cells
        self.left = MAX_NOTEBOOKS_BYTES
        self.found: dict[PurePosixPath, Notebook] = {}

    def __contains__(self, name: str) -> bool:
        """Whether a member of a hand-in is one of those that are looked for."""
        return PurePosixPath(name).name in self.names

    @property
    def most(self) -> int:
        """How many bytes of the next one may be read."""
        return min(self.left, MAX_NOTEBOOK_BYTES)

    def add(self, name: str, content: bytes) -> None:
        """Takes the answers of a notebook; of one that is longer than `most`, ``content`` is the beginning."""
        known = Notebook(problem="too large") if len(content) > self.most else answers.read(content, self.cells)
        self.left = max(0, self.left - len(content))
        self.found[PurePosixPath(name)] = known

    def beside(self, root: PurePosixPath) -> dict[str, Notebook]:
        """Each by its name: the one in the folder ``root``, else the shallowest, among equals the first."""
        order = sorted(self.found, key=lambda path: (path.parent != root, len(path.parts), str(path)), reverse=True)
        return {path.name: self.found[path] for path in order}


def _wanted(name: str, notebooks: _Notebooks) -> bool:
    """Whether a member is kept: a Python file, one of the notebooks or the identity, in ordinary folders."""
    path = PurePosixPath(name)
    if path.is_absolute() or "\\" in name or "\0" in name or len(path.parts) > MAX_DEPTH:
        return False
    if any(part.startswith(".") or part in SKIPPED_FOLDERS for part in path.parts):
        return False
    if any(len(os.fsencode(part)) > MAX_PART_BYTES for part in path.parts):
        return False
    # A folder called like a file would stand where that file has to lie.
    if any(part.endswith(".py") for part in path.parts[:-1]):
        return False
    return path.suffix == ".py" or path.name == IDENTITY or name in notebooks


def _members(path: Path, notebooks: _Notebooks) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the members to keep, within all limits; notebooks go into ``notebooks``."""
    kept = 0
    try:
        for name, content in _source(path, notebooks):
            if name in notebooks:
                notebooks.add(name, content)
                continue
            kept += len(content)
            if len(content) > MAX_FILE_BYTES or kept > MAX_KEPT_BYTES:
                raise IntakeError(
                    f"{path}: its Python files are too large ({plain(name)}); hand in code, no data or weights"
                )
            yield name, content
    except OSError as problem:
        raise IntakeError(f"{path}: {problem.strerror or problem}") from problem


def _most(name: str, notebooks: _Notebooks) -> int:
    """How many bytes of a member are read: one more than it may have, so that a longer one is known."""
    return (notebooks.most if name in notebooks else MAX_FILE_BYTES) + 1


def _source(path: Path, notebooks: _Notebooks) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        return _folder(path, notebooks)
    if not path.exists():
        raise IntakeError(f"{path}: there is no such file or folder")
    if not path.is_file():
        raise IntakeError(f"{path}: neither a folder nor an archive")
    if path.stat().st_size > MAX_ARCHIVE_BYTES:
        raise IntakeError(f"{path}: larger than {MAX_ARCHIVE_BYTES >> 20} MiB; hand in code, no data or weights")
    try:
        zipped = zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # found by fuzzing: it raises at one that says it spans several disks
        zipped = True
    return _zip(path, notebooks) if zipped else _tar(path, notebooks)


def _too_many(path: Path) -> IntakeError:
    return IntakeError(f"{path}: more than {MAX_ENTRIES:,} files; hand in the assignment's folder alone")


def _folder(path: Path, notebooks: _Notebooks) -> Iterator[tuple[str, bytes]]:
    count = 0
    for root, folders, names in os.walk(path):
        # Links are neither followed nor read: they could lead to another's work.
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS)
        if len(Path(root).relative_to(path).parts) >= MAX_DEPTH - 1:
            folders.clear()
        count += len(names) + len(folders)
        if count > MAX_ENTRIES:
            raise _too_many(path)
        for name in sorted(names):
            file = Path(root, name)
            inner = file.relative_to(path).as_posix()
            if _wanted(inner, notebooks) and stat.S_ISREG(file.lstat().st_mode):
                try:
                    with file.open("rb") as opened:
                        content = opened.read(_most(inner, notebooks))
                except OSError:
                    if inner not in notebooks:
                        raise
                    content = UNREADABLE
                yield inner, content


class _Bounded(io.BufferedIOBase):
    """A file that gives no more bytes at a time than ``at_a_time``, nor in all than are ``left``, if that is set.

    Readers of archives ask for as much as an archive tells them to; this says no before memory is taken.
    """

    def __init__(self, file: io.BufferedIOBase, at_a_time: int, left: int | None = None) -> None:
        self.file, self.at_a_time, self.left = file, at_a_time, left

    def seekable(self) -> bool:
        return self.file.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def read(self, size: int | None = -1) -> bytes:
        """Reads ``size`` bytes, or up to the end.

        Raises:
            ValueError: there are more than are allowed.
        """
        most = self.at_a_time if self.left is None else min(self.at_a_time, self.left)
        content = self.file.read(most + 1 if size is None or size < 0 else min(size, most + 1))
        if len(content) > most:
            raise ValueError("a part of it is too long")
        if self.left is not None:
            self.left -= len(content)
        return content


def _zip(path: Path, notebooks: _Notebooks) -> Iterator[tuple[str, bytes]]:
    try:
        # The list of members is read in one piece: a long one is refused before anything is made of it.
        with path.open("rb") as file, zipfile.ZipFile(_Bounded(file, MAX_DIRECTORY_BYTES)) as archive:
            if len(archive.infolist()) > MAX_ENTRIES:
                raise _too_many(path)
            for entry in archive.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if _wanted(entry.filename, notebooks) and not entry.is_dir() and kind in (0, stat.S_IFREG):
                    try:
                        content = _member(archive, entry, _most(entry.filename, notebooks), path)
                    except (*DAMAGED, IntakeError):
                        if entry.filename not in notebooks:
                            raise
                        content = UNREADABLE
                    yield entry.filename, content
    except DAMAGED as problem:
        raise IntakeError(f"{path}: the zip is damaged or locked ({plain(str(problem))}); pack it again") from problem


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, path: Path) -> bytes:
    """The first ``most`` bytes of a zip's member, asked for in parts that `_Bounded` gives."""
    # The others' unpackers cannot be told to stop after a while.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise IntakeError(f"{path}: packed in an unusual way; pack it again as an ordinary zip")
    parts = []
    with archive.open(entry) as member:
        while most and (part := member.read(min(most, MAX_FILE_BYTES))):
            parts.append(part)
            most -= len(part)
    return b"".join(parts)


def _tar(path: Path, notebooks: _Notebooks) -> Iterator[tuple[str, bytes]]:
    count = size = 0
    try:
        with path.open("rb") as raw:
            start = raw.read(6)
        opener = next((PACKERS[magic] for magic in PACKERS if start.startswith(magic)), lambda path: path.open("rb"))
        with opener(path) as unpacked:
            # What tells of a member is bounded too: a name alone could be as long as the memory.
            stream = _Bounded(unpacked, MAX_HEADER_BYTES, MAX_HEADER_BYTES)
            # As a stream: what a member claims to be is never followed, and nothing is read twice.
            with tarfile.open(fileobj=stream, mode="r|", bufsize=READ_BYTES) as archive:
                for entry in archive:
                    count, size = count + 1, size + entry.size
                    if count > MAX_ENTRIES:
                        raise _too_many(path)
                    if size > MAX_UNPACKED_BYTES:
                        raise IntakeError(
                            f"{path}: unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB; hand in code"
                        )
                    if entry.issparse():
                        raise IntakeError(f"{path}: packed with holes (--sparse); pack it again without")
                    stream.left = (entry.size if entry.isreg() else 0) + MAX_HEADER_BYTES
                    name = entry.name.removeprefix("./")
                    if entry.isreg() and _wanted(name, notebooks):
                        file = archive.extractfile(entry)
                        assert file is not None
                        yield name, file.read(_most(name, notebooks))
    except (*DAMAGED, OSError) as problem:
        raise IntakeError(f"{path}: neither a folder nor a readable .zip or .tar.gz") from problem
