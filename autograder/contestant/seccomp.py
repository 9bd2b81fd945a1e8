"""Seccomp: the kernel refuses a list of system calls to this process, for ever.

The filter is a list of rules compiled to classic BPF. Source: the kernel's
``Documentation/userspace-api/seccomp_filter.rst``.
"""

from __future__ import annotations

import ctypes
import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from errno import ENOSYS, EPERM
from typing import Literal

from autograder.contestant import kernel

ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000
SET_MODE_FILTER = 1
PR_SET_NO_NEW_PRIVS = 38
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data

LOAD, JUMP_EQUAL, JUMP_ABOVE, AND, RETURN = 0x20, 0x15, 0x25, 0x54, 0x06

CLONE_THREAD = 0x10000
PROCESS_OPTIONS = {
    "PR_SET_PDEATHSIG": 1,
    "PR_SET_DUMPABLE": 4,
    "PR_SET_KEEPCAPS": 8,
    "PR_SET_SECCOMP": 22,
    "PR_SET_SECUREBITS": 28,
    "PR_TASK_PERF_EVENTS_DISABLE": 31,
    "PR_TASK_PERF_EVENTS_ENABLE": 32,
    "PR_SET_MM": 35,
    "PR_SET_CHILD_SUBREAPER": 36,
    "PR_CAP_AMBIENT": 47,
    "PR_SCHED_CORE": 62,
    "PR_SET_PTRACER": 0x59616D61,
}
FILE_OPTIONS = {
    "F_SETOWN": 8,
    "F_SETSIG": 10,
    "F_SETOWN_EX": 15,
    "F_SETLEASE": 1024,
    "F_NOTIFY": 1026,
    "F_SETPIPE_SZ": 1031,
}
DEVICE_OPTIONS = {
    "TIOCSTI": 0x5412,
    "TIOCLINUX": 0x541C,
    "FIOSETOWN": 0x8901,
    "SIOCSPGRP": 0x8902,
    "FS_IOC_SETFLAGS": 0x40086602,
    "FS_IOC_FSSETXATTR": 0x401C5820,
}


@dataclass(frozen=True)
class Rule:
    """Refuses ``call`` with ``error``: always, or when an argument's masked low 32 bits are in ``values`` or not.

    Only integers passed by value can be looked at; what a pointer points to can change after the look.
    """

    call: str
    error: int = EPERM
    when: Literal["always", "in", "not in"] = "always"
    argument: int = 0
    values: tuple[int, ...] = ()
    mask: int = 0xFFFFFFFF


def _instruction(code: int, operand: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, operand)


def _compiled(rule: Rule, number: int) -> bytes:
    """Instructions that start and end with the call's number in the accumulator, unless they return."""
    refuse, allow = _instruction(RETURN, ERRNO | rule.error), _instruction(RETURN, ALLOW)
    if rule.when == "always":
        body = refuse
    else:
        body = _instruction(LOAD, ARGUMENTS_AT + 8 * rule.argument) + _instruction(AND, rule.mask)
        for done, value in enumerate(rule.values):
            body += _instruction(JUMP_EQUAL, value, jump_true=len(rule.values) - done)
        body += allow + refuse if rule.when == "in" else refuse + allow
    return _instruction(JUMP_EQUAL, number, jump_false=len(body) // 8) + body


def compiled(rules: Iterable[Rule], newest: int | None = None) -> bytes:
    """The filter as BPF instructions of 8 bytes.

    A call with another machine's numbers kills the process, x32 calls do not exist, and neither do calls with
    numbers above ``newest`` (those that came after the list was made).
    """
    kernel.number("seccomp")  # says so where the machine is none of ours
    program = _instruction(LOAD, ARCH_AT)
    program += _instruction(JUMP_EQUAL, AUDIT_ARCH[platform.machine()], jump_true=1)
    program += _instruction(RETURN, KILL_PROCESS)
    program += _instruction(LOAD, NUMBER_AT)
    missing = X32_BIT - 1 if newest is None else newest
    program += _instruction(JUMP_ABOVE, missing, jump_false=1) + _instruction(RETURN, ERRNO | ENOSYS)
    for rule in rules:
        number = kernel.number(rule.call)
        if number is not None:
            program += _compiled(rule, number)
    return program + _instruction(RETURN, ALLOW)


def contestant_rules(pid: int) -> list[Rule]:
    """What a contestant with process id ``pid`` is refused: all of `kernel.NUMBERS`, some of it only in part.

    It may start threads, but no process and no program; signal itself alone; and change its limits, but not those
    of others. It may not undo what ties it to its parent, have the kernel send signals for it, take leases on
    others' files or type into a terminal.
    """
    partly = [
        Rule("clone", when="not in", values=(CLONE_THREAD,), mask=CLONE_THREAD),
        Rule("clone3", ENOSYS),  # its flags lie behind a pointer; the C library falls back to clone
        Rule("kill", when="not in", values=(pid,)),
        Rule("tgkill", when="not in", values=(pid,)),
        Rule("prlimit64", when="not in", values=(0, pid)),
        Rule("sched_setaffinity", when="not in", values=(0, pid)),
        Rule("prctl", when="in", values=tuple(PROCESS_OPTIONS.values())),
        Rule("fcntl", when="in", argument=1, values=tuple(FILE_OPTIONS.values())),
        Rule("ioctl", when="in", argument=1, values=tuple(DEVICE_OPTIONS.values())),
    ]
    done = {rule.call for rule in partly}
    return partly + [Rule(name) for name in kernel.NUMBERS if name not in done]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(rules: Iterable[Rule], newest: int | None = None) -> None:
    """Puts the filter on this thread and all it will start. Filters add up, and none can be taken off.

    Sets no_new_privs, without which an ordinary user may not.

    Raises:
        OSError: the kernel has no seccomp filters, or forbids them, or the machine is not supported.
    """
    program = compiled(rules, newest)
    kernel.prctl(PR_SET_NO_NEW_PRIVS, 1)
    kernel.call("seccomp", SET_MODE_FILTER, 0, _Program(len(program) // 8, program))
