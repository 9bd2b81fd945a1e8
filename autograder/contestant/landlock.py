"""Landlock: the process gives up all files but a few, TCP, abstract sockets and signals, for ever.

Needs no rights and no namespaces, only Linux 5.13 or newer. Source: the kernel's
``Documentation/userspace-api/landlock.rst`` and ``include/uapi/linux/landlock.h``.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from autograder.contestant.kernel import call, prctl

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15

READ = READ_FILE | READ_DIR
WRITE = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
FOR_FILES = WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

BIND_TCP_AND_CONNECT_TCP = 0b11
ABSTRACT_SOCKETS_AND_SIGNALS = 0b11

RULE_PATH_BENEATH = 1
CREATE_RULESET_VERSION = 1
PR_SET_NO_NEW_PRIVS = 38


def abi() -> int:
    """The version of Landlock that the running kernel offers, at least 1.

    Raises:
        OSError: it offers none (too old, built without, switched off, or a container forbids the call).
    """
    return call("landlock_create_ruleset", None, 0, CREATE_RULESET_VERSION)


def handled(version: int) -> tuple[int, int, int]:
    """All that a version can forbid: the bits for files, for TCP and for scopes."""
    files = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if version >= since:
            files |= right
    network = BIND_TCP_AND_CONNECT_TCP if version >= 4 else 0
    return files, network, ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0


def restrict(rights: Iterable[tuple[Path, int]]) -> int:
    """Forbids this thread and its future children everything but ``rights`` (path -> what is allowed beneath it).

    Nothing may be executed, no TCP port bound or connected, and, as far as the version has it, no abstract
    socket outside be connected and no process outside be signalled. Paths that do not exist are passed over.
    Descriptors that are open already stay usable. Sets no_new_privs, without which an ordinary user may not.

    Returns:
        The version of Landlock in force.

    Raises:
        OSError: Landlock is not to be had, or a path cannot be opened.
    """
    version = abi()
    files, network, scopes = handled(version)
    attributes = struct.pack("=QQQ", files, network, scopes)  # older kernels take more zeros than they know
    ruleset = call("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for path, allowed in rights:
            _allow(ruleset, path, allowed & files)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: Path, allowed: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            allowed &= FOR_FILES
        call("landlock_add_rule", ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", allowed, handle), 0)
    finally:
        os.close(handle)
