"""Namespaces: a contestant gets a network, an IPC, a process table and a file system of its own, all but empty.

With the right to mount (root) they are taken directly, otherwise inside a user namespace, where the system
allows ordinary users to make one. Source: namespaces(7), user_namespaces(7), pivot_root(2), mount_setattr(2).
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.contestant.guardian import SPARE_ENTRIES, usage
from autograder.contestant.kernel import AT_FDCWD, call

NEW_USER, NEW_MOUNT = 0x10000000, 0x00020000
OTHERS = {"network namespace": 0x40000000, "ipc namespace": 0x08000000, "pid namespace": 0x20000000}

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 1 << 1, 1 << 2, 1 << 3, 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2
AT_RECURSIVE = 0x8000
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 1, 2

SPARE_USER = 0x70000000
"""First of the user numbers that contestants of root run under; no distribution hands out numbers from here on."""
INSIDE = 1000
"""The user and group number that a contestant sees of itself in a user namespace."""


def enter() -> dict[str, str]:
    """Moves this process into new namespaces, as many as can be had.

    Returns:
        Layer -> the empty string if it is in force, else the reason. The process-table namespace holds the
        children from now on, not this process.
    """
    reasons: dict[str, str] = {}
    user, group = os.geteuid(), os.getegid()
    try:
        call("unshare", NEW_MOUNT)
        reasons["user namespace"] = "not needed: root has an own user id instead"
    except OSError:
        try:
            call("unshare", NEW_USER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{INSIDE} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{INSIDE} {group} 1")
            reasons["user namespace"] = ""
            call("unshare", NEW_MOUNT)
        except OSError as problem:
            reasons.setdefault("user namespace", str(problem))
            reasons["mount namespace"] = str(problem)
    for name, flag in OTHERS.items():
        try:
            call("unshare", flag)
            reasons[name] = ""
        except OSError as problem:
            reasons[name] = str(problem)
    return reasons


def spare_user() -> int | None:
    """A user number that nobody has, for this process alone; None where this process may not change its user."""
    if os.geteuid() != 0:
        return None
    wanted = SPARE_USER + os.getpid()
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= wanted < first + count:
            return wanted
    return None


@dataclass(frozen=True)
class Shown:
    """Files and folders to be shown in a new root: their real paths, and the symbolic links on the way to them."""

    real: frozenset[Path]
    links: Mapping[Path, str]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Shown:
        """Follows ``paths`` as they are now; those that do not exist are passed over."""
        links: dict[Path, str] = {}
        return cls(frozenset(_follow(path, links) for path in paths if path.exists()), links)

    def __or__(self, other: Shown) -> Shown:
        return Shown(self.real | other.real, {**self.links, **other.links})


def confine(scratch: Path, shown: Shown, bytes_: int) -> None:
    """Makes a file system of ``shown`` (read-only) and an own scratch the only one this process can reach.

    Paths stay what they were. The scratch becomes a file system in memory at the same path: what lay in it (plain
    files and folders) is copied in, ``bytes_`` more may be written, and all is gone when the process ends.

    Args:
        scratch: a folder; what lies in it on disk is not touched.
        shown: what can be read.
        bytes_: the quota.

    Raises:
        OSError: a mount is forbidden. The process sees its old file system as before.
    """
    scratch = scratch.resolve()
    held, entries = usage(scratch)
    before = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        # The new root is built over the scratch, since nothing else that is needed lies beneath that.
        _mount_memory(scratch, MS_NOSUID | MS_NODEV, f"size={1 << 20},mode=755")
        try:
            _furnish(scratch, shown, scratch)
            os.chdir(scratch)
            options = f"size={held + bytes_},nr_inodes={entries + SPARE_ENTRIES},mode=700"
            _mount_memory(Path(_inside(scratch, scratch)), MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
            _copy(before, Path(_inside(scratch, scratch)))
            call("pivot_root", b".", b".")
        except OSError:
            os.chdir("/")
            call("umount2", os.fsencode(scratch), MNT_DETACH)
            raise
        call("umount2", b".", MNT_DETACH)
        os.chdir(scratch)
    finally:
        os.close(before)


def _mount_memory(target: Path, flags: int, options: str) -> None:
    call("mount", b"tmpfs", os.fsencode(target), b"tmpfs", flags, options.encode())


def _inside(root: Path, path: Path) -> str:
    return f"{root}{path}"


def _furnish(root: Path, shown: Shown, scratch: Path) -> None:
    """Binds ``shown`` into ``root``, with the links, and makes all of it read-only."""
    bound: list[Path] = []
    for path in sorted(shown.real):
        if path.is_relative_to(scratch) or any(path.is_relative_to(folder) for folder in bound):
            continue
        target = Path(_inside(root, path))
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.touch()
        call("mount", os.fsencode(path), os.fsencode(target), None, MS_BIND | MS_REC, None)
        bound.append(path)
    for link, leads_to in shown.links.items():
        here = Path(_inside(root, link))
        if not os.path.lexists(here):
            here.parent.mkdir(parents=True, exist_ok=True)
            here.symlink_to(leads_to)
    Path(_inside(root, scratch)).mkdir(parents=True, exist_ok=True)
    attributes = struct.pack("=QQQQ", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0)
    call("mount_setattr", AT_FDCWD, os.fsencode(root), AT_RECURSIVE, attributes, len(attributes))


def _follow(path: Path, links: dict[Path, str]) -> Path:
    """The real path, noting each symbolic link on the way."""
    at = Path("/")
    parts = path.absolute().parts[1:]
    for done, part in enumerate(parts):
        at /= part
        if at.is_symlink() and at not in links:
            links[at] = str(at.readlink())
            _follow(Path(os.path.normpath(at.parent / links[at])).joinpath(*parts[done + 1 :]), links)
            break
    return path.resolve()


def _copy(source: int, target: Path) -> None:
    """Copies plain files and folders; anything else (links, pipes, devices) is left out."""
    with os.scandir(source) as found:
        entries = list(found)
    for entry in entries:
        copy = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            copy.mkdir()
            inner = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=source)
            try:
                _copy(inner, copy)
            finally:
                os.close(inner)
        elif entry.is_file(follow_symlinks=False):
            with os.fdopen(os.open(entry.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=source), "rb") as original:
                if stat.S_ISREG(os.fstat(original.fileno()).st_mode):
                    with copy.open("xb") as written:
                        shutil.copyfileobj(original, written)
