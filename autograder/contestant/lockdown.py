"""The lockdown: what a contestant gives up after the fork and before the first line of student code.

Several layers stand one behind the other, and most escapes are refused by more than one of them;
`docs/THREAT_MODEL.md` says what they defend and what not. Where a system forbids one the others go on, and the
caller is told.
"""

from __future__ import annotations

import json
import os
import resource
import site
import struct
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.contestant import guardian, kernel, landlock, namespaces, seccomp

NEEDED: tuple[tuple[str, ...], ...] = (
    ("mount namespace", "landlock"),
    ("scratch quota", "watched scratch"),
    ("no capabilities",),
    ("no new privileges",),
    ("seccomp",),
    ("rlimits",),
    ("closed descriptors",),
    ("clean environment",),
    ("dies with its guardian",),
)
"""The layers without which grading refuses, unless it is told to do without: of each group one must be in force."""

CURE = (
    "Linux 5.13 or newer with Landlock switched on, on x86-64 or 64-bit Arm, gives all that is needed; a container "
    "must let the landlock_* and seccomp system calls through (Docker's and Podman's own profiles do). "
    "`--isolation none` grades without a lockdown: only where you trust every submission"
)

SYSTEM = (
    Path("/usr/lib"),
    Path("/usr/lib64"),
    Path("/lib"),
    Path("/lib64"),
    Path("/usr/local/lib"),
    Path("/etc/ld.so.cache"),
    Path("/etc/alternatives"),
    Path("/etc/localtime"),
    Path("/usr/share/zoneinfo"),
    Path("/proc/cpuinfo"),  # torch's kernels choose by what the processor can do
    Path("/sys/devices/system/cpu"),
)
DEVICES = (Path("/dev/null"), Path("/dev/zero"), Path("/dev/random"), Path("/dev/urandom"))

PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 4, 24, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = 64


class LockdownError(Exception):
    """A needed layer cannot be had; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Limits:
    """What a contestant may use.

    Attributes:
        memory_bytes: address space beyond what the process was born with (torch itself maps gigabytes).
        cpu_s: processor seconds of all its threads; then it is killed.
        processes: threads (it may start no process at all). Where the contestant has no user number of its
            own, the threads that its user runs already come on top.
        open_files: descriptors open at a time.
        file_bytes: the largest file it may write, and by how much its scratch may grow.
    """

    memory_bytes: int
    cpu_s: int
    processes: int
    open_files: int
    file_bytes: int


@dataclass(frozen=True)
class Jail:
    """What a contestant keeps.

    Attributes:
        scratch: its working folder. What lies in it can be read; what is written to it may be gone afterwards.
        readable: files and folders to read: provided code and data. Python's own folders (`runtime`) and the
            system's libraries are added to them.
        keep_fds: descriptors that stay open. Sockets among them must be connected streams (or SEQPACKET): over a
            datagram socket messages could be sent to others.
        output: descriptor that standard output and standard error go to (drained and capped by whoever holds the
            other end); None throws both away. Standard input is empty.
    """

    scratch: Path
    readable: tuple[Path, ...] = ()
    keep_fds: tuple[int, ...] = ()
    output: int | None = None


def runtime() -> tuple[Path, ...]:
    """The folders that the running Python imports from, but for those that were put on ``sys.path`` by hand."""
    paths = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {Path(sys.base_prefix, "lib"), *map(Path, site.getsitepackages())}
    if site.ENABLE_USER_SITE:
        paths.add(Path(site.getusersitepackages()))
    return tuple(sorted(paths))


RUNTIME = runtime()
FIXED = namespaces.Shown.of((*SYSTEM, *RUNTIME, *DEVICES))
"""Found out once, when this module is loaded, so that no contestant has to after its fork."""


def environment(home: Path) -> dict[str, str]:
    """All of a contestant's environment variables. ``home`` is its scratch."""
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    folders = ("HOME", "TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME")
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "USER": "student",
        "LOGNAME": "student",
        "MPLBACKEND": "Agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(folders, str(home)),
        **dict.fromkeys(threads, "1"),
    }


def lock_down(jail: Jail, limits: Limits, *, required: bool) -> list[str]:
    """Locks this process down for ever. To be called right after the fork, in a process of one thread.

    Returns in a new child of the process that called. That one stays as the child's guardian and ends as the child
    does (see `autograder.contestant.guardian`): whoever forked sees one process, and kills all by killing it.
    Both die when it dies.

    Args:
        jail: what is kept.
        limits: what may be used.
        required: refuse to return where a layer of `NEEDED` is not in force.

    Returns:
        The names of the layers in force.

    Raises:
        LockdownError: a needed layer is not in force. The process is half locked and good for nothing else.
    """
    names: dict[str, str] = {}
    with suppress(OSError):  # has to be asked before the kernel answers no more questions
        names["landlock"] = f"landlock abi {landlock.abi()}"
    report = _lock_down(jail, limits)
    if required and (lacking := shortfall(report)):
        raise LockdownError(f"{'; '.join(lacking)}. {CURE}")
    return [names.get(name, name) for name in report if not report[name]]


def shortfall(report: Mapping[str, str]) -> list[str]:
    """What of `NEEDED` is not in force, with the reasons. ``report``: layer -> reason, as `available` gives it."""
    return [
        " or ".join(f"{name} ({report.get(name) or 'not tried'})" for name in group)
        for group in NEEDED
        if not any(report.get(name) == "" for name in group)
    ]


def available(first: Callable[[], object] = lambda: None) -> dict[str, str]:
    """Tries the whole lockdown in a process of its own: layer -> the empty string, or why it cannot be had.

    ``first`` is called in that process before (a test may take something from it).
    """
    if not hasattr(os, "fork") or sys.platform != "linux":
        return {name: f"needs Linux, this is {sys.platform}" for group in NEEDED for name in group}
    limits = Limits(memory_bytes=1 << 30, cpu_s=10, processes=8, open_files=64, file_bytes=1 << 20)
    with tempfile.TemporaryDirectory() as scratch:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                first()
                found = _lock_down(Jail(scratch=Path(scratch), keep_fds=(writing,)), limits)
                os.write(writing, json.dumps(found).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            said = answer.read()
        os.waitpid(child, 0)
    report: dict[str, str] = json.loads(said or b"{}")
    return report


@contextmanager
def _layer(report: dict[str, str], name: str) -> Iterator[None]:
    """Enters into the report whether the layer made inside is in force."""
    try:
        yield
        report.setdefault(name, "")
    except (OSError, ValueError) as problem:
        report[name] = str(problem)


def _lock_down(jail: Jail, limits: Limits) -> dict[str, str]:
    guardian.die_with_parent(os.getppid())
    with suppress(PermissionError):  # a process that leads its group already leads its session's group too
        os.setsid()
    scratch = jail.scratch.resolve()
    readable = (*SYSTEM, *RUNTIME, *jail.readable)
    user = namespaces.spare_user()
    # All of /proc that is needed: it is gone later.
    born_with, others = _address_space(), 0 if user is not None else _threads_of(os.getuid())
    with suppress(OSError):  # where memory runs out, a contestant is the first to go
        Path("/proc/self/oom_score_adj").write_text("1000")
    _redirect(jail.output)

    report = namespaces.enter()
    if not report["user namespace"]:
        user = None  # a user namespace holds one user only
    lifeline = guardian.fork(scratch, limits.file_bytes, limits.cpu_s)
    if not report.get("mount namespace"):
        with _layer(report, "mount namespace"):
            namespaces.confine(scratch, FIXED | namespaces.Shown.of(jail.readable), limits.file_bytes)
    report["scratch quota"] = report["mount namespace"]

    with _layer(report, "closed descriptors"):
        guardian.close_all_but({0, 1, 2, *jail.keep_fds} | lifeline.descriptors)
    with _layer(report, "clean environment"):
        _clean_environment(scratch)
    with _layer(report, "own user id"):
        _change_user(user, (*jail.readable, *RUNTIME), scratch)
    with _layer(report, "no capabilities"):
        _drop_capabilities()
    with _layer(report, "rlimits"):
        _set_limits(limits, born_with, others, first_process=not report["pid namespace"])
    with _layer(report, "dies with its guardian"):
        lifeline.hold(quota=not report["scratch quota"])
    if report["scratch quota"]:
        report["watched scratch"] = report["dies with its guardian"]
    with _layer(report, "no new privileges"):
        kernel.prctl(PR_SET_DUMPABLE, 0)
        kernel.prctl(seccomp.PR_SET_NO_NEW_PRIVS, 1)
    with _layer(report, "landlock"):
        rights = [(path, landlock.READ) for path in readable]
        rights += [(path, landlock.READ_FILE | landlock.WRITE_FILE) for path in DEVICES]
        landlock.restrict([*rights, (scratch, landlock.READ | landlock.WRITE)])
    with _layer(report, "seccomp"):
        seccomp.install(seccomp.contestant_rules(os.getpid()), kernel.NEWEST_NUMBER)
    return report


def _redirect(output: int | None) -> None:
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    for descriptor in (1, 2):
        os.dup2(quiet if output is None else output, descriptor)
    if quiet > 2:
        os.close(quiet)


def _address_space() -> int:
    """Bytes of address space that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _threads_of(user: int) -> int:
    """How many threads a user runs, as far as this process can see."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with suppress(OSError):
                tasks = Path(entry.path, "task").stat()
                count += tasks.st_nlink - 2 if tasks.st_uid == user else 0
    return count


def _clean_environment(home: Path) -> None:
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(environment(home))
    tempfile.tempdir = None  # it remembers the folder that it found before
    os.chdir(home)


def _change_user(user: int | None, needed: Iterable[Path], scratch: Path) -> None:
    """Becomes ``user``, of no group but its own, if that one can reach what it needs, and gives it the scratch.

    Raises:
        OSError: it stays who it is, and why.
    """
    if user is None:
        raise PermissionError("only root can become somebody else")
    os.setgroups([])
    try:
        os.setegid(user)
        os.seteuid(user)
        for path in (*needed, scratch.parent):
            _reach(path)
    finally:
        os.seteuid(0)
        os.setegid(0)
    for _, folders, files, here in os.fwalk(scratch):
        os.chown(here, user, user)
        for name in (*folders, *files):
            os.chown(name, user, user, dir_fd=here, follow_symlinks=False)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _reach(path: Path) -> None:
    """Raises PermissionError if ``path`` exists and may not be read."""
    with suppress(FileNotFoundError):
        wanted = os.R_OK | (os.X_OK if path.is_dir() else 0)
        path.stat()
        if not os.access(path, wanted, effective_ids=True):
            raise PermissionError(f"{path} cannot be read by others than its owner")


def _drop_capabilities() -> None:
    """Gives up all rights of root, now and in programs started later."""
    for capability in range(CAPABILITIES):
        with suppress(OSError):  # the kernel knows fewer, or this process may not: the set below decides
            kernel.prctl(PR_CAPBSET_DROP, capability)
    with suppress(OSError):
        kernel.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    kernel.call("capset", struct.pack("=II", CAPABILITY_VERSION_3, 0), bytes(24))


def _set_limits(limits: Limits, born_with: int, others: int, *, first_process: bool) -> None:
    wanted = {
        resource.RLIMIT_AS: born_with + limits.memory_bytes,
        # SIGXCPU comes a second before SIGKILL, and tells what happened; the first of a namespace is deaf to it.
        resource.RLIMIT_CPU: limits.cpu_s if first_process else limits.cpu_s + 1,
        resource.RLIMIT_NPROC: limits.processes + others,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for which, value in wanted.items():
        _, most = resource.getrlimit(which)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        soft = min(value, limits.cpu_s) if which == resource.RLIMIT_CPU else value
        resource.setrlimit(which, (soft, value))
