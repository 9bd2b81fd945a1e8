"""Escapes, each tried for real from inside the lockdown, and the deeds that must stay possible in it.

Every escape aims at a bait that this module lays out itself, open to any process of any user: it is the lockdown
that must refuse, not the bait's permissions. Nothing here harms the machine where an escape succeeds: bombs are
small, and signals are ones that processes ignore.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from errno import ENOSYS
from pathlib import Path

from autograder.contestant import kernel, seccomp
from autograder.contestant.lockdown import Jail, Limits, lock_down
from autograder.contestant.scratch import scratch
from autograder.contestant.seccomp import Rule

LIMITS = Limits(memory_bytes=2 << 30, cpu_s=60, processes=16, open_files=64, file_bytes=4 << 20)
PATIENCE_S = 60.0
LOOKED_AT_S = 0.5  # long enough for a guardian to look
SECRET = "the answer"
VARIABLE = "MIZAN_BAIT"

LACKS: dict[str, tuple[Rule, ...]] = {
    "namespaces": (Rule("unshare"),),
    "landlock": (Rule("landlock_create_ruleset", ENOSYS),),
    "seccomp": (Rule("seccomp"),),
}
"""How a machine is simulated that lacks a kind of layer: its kernel refuses the door to it."""

SIDE_DOORS = ["bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key", "request_key", "kcmp"]
SIDE_DOORS += ["init_module", "kexec_load", "fsopen", "open_tree", "setns", "unshare", "mq_open", "seccomp"]


class Refused(Exception):
    """An escape that failed without an error of the system's."""


@dataclass(frozen=True)
class Bait:
    """What escapes aim at, outside of the jail.

    Attributes:
        folder: a folder that anyone may write to; it holds ``secret.txt``, ``other/hw1/losses.py`` and ``socket``.
        scratch, readable: of the jail.
        tcp, udp: ports on 127.0.0.1 that somebody listens on.
        abstract: name of an abstract socket that somebody listens on.
        pid: the process that runs the test.
        descriptor: one that this process has open and the jail does not keep.
    """

    folder: Path
    scratch: Path
    readable: Path
    tcp: int
    udp: int
    abstract: str
    pid: int
    descriptor: int


@dataclass(frozen=True)
class Row:
    """What became of one escape or deed, and the layers that were in force."""

    escape: str
    expected: str
    seen: str
    layers: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether all went as it should."""
        return self.seen.split(":")[0] == self.expected


@dataclass(frozen=True)
class Escape:
    """``attempt`` tries it and returns what it won; it raises where it is refused. ``expected`` heads `Row.seen`.

    ``fills``: it fills the scratch, which is refused where there is a quota, and ends it where a guardian watches.
    """

    name: str
    attempt: Callable[[Bait], object]
    expected: str = "refused"
    limits: Limits = LIMITS
    fills: bool = False


def _connected(family: int, kind: int, address: object) -> str:
    with socket.socket(family, kind) as client:
        client.settimeout(5)
        client.connect(address)  # type: ignore[arg-type]
        client.send(b"hello")
    return f"reached {address}"


def _listening(bait: Bait) -> str:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        return f"listens on {server.getsockname()}"


def _read(path: str | Path, size: int = 100) -> str:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (what students write)
        return repr(file.read(size))


def _linked(bait: Bait, link: Callable[..., None]) -> str:
    here = bait.scratch / "link"
    link(bait.folder / "secret.txt", here)
    return _read(here)


def _written(path: Path) -> str:
    path.write_text("I was here")
    return f"wrote {path}"


def _by_handle(bait: Bait) -> str:
    """Opens a file by what the file system calls it, which no path leads past."""
    room = 128
    handle = ctypes.create_string_buffer(struct.pack("=Ii", room, 0), 8 + room)
    here, mount = kernel.AT_FDCWD, ctypes.create_string_buffer(4)
    kernel.call("name_to_handle_at", here, os.fsencode(bait.scratch), handle, mount, 0)
    return f"descriptor {kernel.call('open_by_handle_at', here, handle, os.O_RDONLY)}"


def _traced(bait: Bait) -> int:
    seize = 0x4206  # does not stop the process
    return kernel.call("ptrace", seize, bait.pid, 0, 0)


def _memory_read(bait: Bait) -> int:
    class Piece(ctypes.Structure):
        _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t))

    here = ctypes.create_string_buffer(8)
    there = ctypes.addressof(ctypes.create_string_buffer(8))
    return kernel.call(
        "process_vm_readv", bait.pid, Piece(ctypes.addressof(here), 8), 1, Piece(there, 8), 1, 0
    )  # fmt: skip


def _descriptor_taken(bait: Bait) -> int:
    return kernel.call("pidfd_getfd", os.pidfd_open(bait.pid), bait.descriptor, 0)


def _affinity(bait: Bait) -> str:
    os.sched_setaffinity(bait.pid, os.sched_getaffinity(bait.pid))
    return "set where another process runs"


def _limits_of_another(bait: Bait) -> object:
    import resource

    return resource.prlimit(bait.pid, resource.RLIMIT_NOFILE, resource.prlimit(bait.pid, resource.RLIMIT_NOFILE))


def _survives_parent(bait: Bait) -> int:
    return kernel.prctl(1, 0)


def _forked(bait: Bait, times: int = 1) -> str:
    for _ in range(times):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    return f"{times} processes"


def _daemon(bait: Bait) -> str:
    """The double fork that a process uses to outlive whoever started it."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.fork()
        os._exit(0)
    os.waitpid(pid, 0)
    return "a process of nobody"


def _became(bait: Bait) -> None:
    os.execv(sys.executable, [sys.executable, "-c", "pass"])


def _threads(count: int) -> str:
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait, daemon=True) for _ in range(count)]
    try:
        for thread in threads:
            thread.start()
    finally:
        stop.set()
    return f"{count} threads"


def _memory(flags: int) -> str:
    """Asks for too much memory, and does not touch it."""
    size = LIMITS.memory_bytes + (1 << 20)
    with mmap.mmap(-1, size, flags | mmap.MAP_ANONYMOUS):
        return f"{size} bytes"


def _hidden_memory(bait: Bait) -> str:
    return f"descriptor {os.memfd_create('bait')}"


def _system_v_memory(bait: Bait) -> int:
    private, create = 0, 0o1000
    segment = kernel.call("shmget", private, 4096, create | 0o600)
    kernel.call("shmctl", segment, 0, None)
    return segment


def _many_open(bait: Bait) -> str:
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(LIMITS.open_files + 1)]
    for descriptor in held:
        os.close(descriptor)
    return f"{len(held)} descriptors"


def _big_file(bait: Bait) -> str:
    with (bait.scratch / "big").open("wb") as file:
        for _ in range(LIMITS.file_bytes + 1 >> 16):
            file.write(bytes(1 << 16))
        file.write(b"one more")
    return f"{(bait.scratch / 'big').stat().st_size} bytes"


def _filled(bait: Bait) -> str:
    size = LIMITS.file_bytes // 4
    for count in range(5):
        (bait.scratch / f"part{count}").write_bytes(bytes(size))
    time.sleep(LOOKED_AT_S)
    return f"{5 * size} bytes in 5 files"


def _many_files(bait: Bait) -> str:
    for count in range(6000):
        (bait.scratch / f"empty{count}").touch()
    time.sleep(LOOKED_AT_S)
    return "6000 files"


def _behind_the_end(bait: Bait) -> str:
    """Takes space behind a file's end, where neither its size nor the limit on it tells."""
    keep_size, size = 1, LIMITS.file_bytes * 2
    with (bait.scratch / "short").open("wb") as file:
        kernel.call("fallocate", file.fileno(), keep_size, 0, size)
    time.sleep(LOOKED_AT_S)
    return f"{size} bytes behind the end of an empty file"


def _hidden_deep(bait: Bait) -> str:
    """Writes in folders too deep to be named from above."""
    os.chdir(bait.scratch)
    for _ in range(1500):
        Path("deeper").mkdir()
        os.chdir("deeper")
    for count in range(5):
        Path(f"part{count}").write_bytes(bytes(LIMITS.file_bytes // 4))
    time.sleep(LOOKED_AT_S)
    return "5 files 1500 folders down"


def _busy(bait: Bait) -> None:
    end = time.process_time() + 3  # its own seconds: on a busy machine a wall clock would let it off too early
    while time.process_time() < end:
        pass


def _environment(bait: Bait) -> str:
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    raise Refused("no such variable")


def _kernel_doors(bait: Bait) -> str:
    """Calls that have been the way out of many a sandbox: none may get as far as having its arguments looked at."""
    reached = []
    for name in SIDE_DOORS:
        try:
            kernel.call(name, -1, -1, -1, -1, -1)
            reached.append(name)
        except OSError as problem:
            if not isinstance(problem, PermissionError) and problem.errno != ENOSYS:
                reached.append(name)
    if not reached:
        raise Refused("none was let through")
    return ", ".join(reached)


def _torch(bait: Bait) -> str:
    try:
        import torch
    except ModuleNotFoundError:
        return "torch is not installed here"
    layer = torch.nn.Conv2d(3, 8, 3)
    torch.optim.SGD(layer.parameters(), 0.1).zero_grad()
    layer(torch.ones(20, 3, 16, 16)).sum().backward()
    gradient = layer.weight.grad
    if gradient is None or float(gradient[0, 0, 0, 0]) != 20 * 14 * 14:
        raise ArithmeticError("a wrong gradient")
    return torch.__version__


def _wrote_and_read(bait: Bait) -> str:
    (bait.scratch / "mine").write_text("kept")
    return (bait.scratch / "mine").read_text()


ESCAPES: tuple[Escape, ...] = (
    Escape("connect by TCP", lambda b: _connected(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", b.tcp))),
    Escape("send by UDP", lambda b: _connected(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", b.udp))),
    Escape("listen on TCP", _listening),
    Escape(
        "connect to a UNIX socket",
        lambda b: _connected(socket.AF_UNIX, socket.SOCK_STREAM, str(b.folder / "socket")),
    ),
    Escape(
        "connect to an abstract socket",
        lambda b: _connected(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{b.abstract}"),
    ),
    Escape("make a pair of datagram sockets", lambda b: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)),
    Escape("talk to the kernel by netlink", lambda b: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    Escape("read a file outside", lambda b: _read(b.folder / "secret.txt")),
    Escape("read another submission", lambda b: _read(b.folder / "other" / "hw1" / "losses.py")),
    Escape("list a folder outside", lambda b: list(b.folder.iterdir())),
    Escape("list the machine's folders", lambda b: list(Path("/var").iterdir())),
    Escape("read /etc/passwd", lambda b: _read("/etc/passwd")),
    Escape("read through a symbolic link", lambda b: _linked(b, os.symlink)),
    Escape("read through a hard link", lambda b: _linked(b, os.link)),
    Escape("write outside", lambda b: _written(b.folder / "new.txt")),
    Escape("change a file outside", lambda b: _written(b.folder / "open.txt")),
    Escape("cut a file outside short", lambda b: os.truncate(b.folder / "open.txt", 1)),
    Escape("change the mode of a file outside", lambda b: (b.folder / "secret.txt").chmod(0o777)),
    Escape("remove a file outside", lambda b: (b.folder / "open.txt").unlink()),
    Escape("change what is shared to read", lambda b: _written(b.readable / "new.txt")),
    Escape("open a file by its handle", _by_handle),
    Escape("read the judge's environment", lambda b: _read(f"/proc/{b.pid}/environ")),
    Escape("read the judge's command line", lambda b: _read(f"/proc/{b.pid}/cmdline")),
    Escape("open the judge's memory", lambda b: os.open(f"/proc/{b.pid}/mem", os.O_RDWR)),
    Escape("list the judge's descriptors", lambda b: list(Path(f"/proc/{b.pid}/fd").iterdir())),
    Escape("read the judge's memory", _memory_read),
    Escape("trace the judge", _traced),
    Escape("signal the judge", lambda b: os.kill(b.pid, signal.SIGURG)),
    Escape("take the judge's descriptor", _descriptor_taken),
    Escape("bind the judge to a processor", _affinity),
    Escape("set the judge's priority", lambda b: os.setpriority(os.PRIO_PROCESS, b.pid, 0)),
    Escape("set the judge's limits", _limits_of_another),
    Escape("outlive the judge", _survives_parent),
    Escape("use an inherited descriptor", lambda b: os.write(b.descriptor, b"forged")),
    Escape("read a secret from the environment", _environment),
    Escape("start a process", _forked),
    Escape("fork bomb", lambda b: _forked(b, 64)),
    Escape("leave a daemon behind", _daemon),
    Escape("become another program", _became),
    Escape("thread bomb", lambda b: _threads(2000)),
    Escape("memory bomb", lambda b: _memory(mmap.MAP_PRIVATE)),
    Escape("shared memory bomb", lambda b: _memory(mmap.MAP_SHARED)),
    Escape("memory behind a descriptor", _hidden_memory),
    Escape("memory that outlives its maker", _system_v_memory),
    Escape("open too many files", _many_open),
    Escape("write too big a file", _big_file),
    Escape("fill the scratch", _filled, fills=True),
    Escape("fill the scratch with empty files", _many_files, fills=True),
    Escape("fill the scratch behind a file's end", _behind_the_end),
    Escape("fill the scratch deep down", _hidden_deep, fills=True),
    Escape("pass through the kernel's side doors", _kernel_doors),
    Escape("use up the processor", _busy, expected="ended by SIGXCPU", limits=replace(LIMITS, cpu_s=1)),
    Escape("read the own submission", lambda b: _read(b.scratch / "hw1" / "losses.py"), expected="works"),
    Escape("read the provided code", lambda b: _read(b.readable / "provided.py"), expected="works"),
    Escape("import torch and train", _torch, expected="works"),
    Escape("start threads", lambda b: _threads(4), expected="works"),
    Escape("draw random bytes", lambda b: len(os.urandom(8)), expected="works"),
    Escape("write to the scratch", _wrote_and_read, expected="works"),
)
"""All that is tried; the last six must work."""


@contextmanager
def laid_out() -> Iterator[Bait]:
    """The bait, for as long as the context lasts."""
    with ExitStack() as stack:
        top = stack.enter_context(scratch())
        folder, own, readable = top / "outside", top / "scratch", top / "readable"
        for path, text in (
            (folder / "secret.txt", SECRET),
            (folder / "open.txt", "anybody's"),
            (folder / "other" / "hw1" / "losses.py", SECRET),
            (own / "hw1" / "losses.py", "mine"),
            (readable / "provided.py", "ours"),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o666)
        for path in (top, folder, folder / "other", readable):
            path.chmod(0o777)
        tcp, udp = (stack.enter_context(socket.socket(type=kind)) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        path_socket, abstract = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        name = top.name
        for server, address in (
            (tcp, ("127.0.0.1", 0)),
            (udp, ("127.0.0.1", 0)),
            (path_socket, str(folder / "socket")),
            (abstract, f"\0{name}"),
        ):
            server.bind(address)
            if server is not udp:
                server.listen(8)
        (folder / "socket").chmod(0o777)
        reading, writing = os.pipe()
        stack.callback(os.close, reading)
        stack.callback(os.close, writing)
        os.environ[VARIABLE] = SECRET
        stack.callback(os.environ.pop, VARIABLE)
        yield Bait(folder, own, readable, tcp.getsockname()[1], udp.getsockname()[1], name, os.getpid(), writing)


def tried(escape: Escape, bait: Bait, *, locked: bool = True, lacks: Sequence[str] = ()) -> Row:
    """Tries one escape in a process of its own, as a contestant would.

    Args:
        escape: the escape.
        bait: from `laid_out`.
        locked: False tries it without any lockdown, to see that it would succeed.
        lacks: of `LACKS`: what the machine shall seem to lack.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _try(escape, bait, locked, lacks, writing)
        finally:
            os._exit(1)
    os.close(writing)
    said = _all_of(reading, time.monotonic() + PATIENCE_S)
    if said is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    lines = (said or b"").decode().splitlines()
    layers = tuple(json.loads(lines[0])) if lines else ()
    if len(lines) == 2:
        seen = str(json.loads(lines[1]))
    elif said is None:
        seen = "no end"
    elif os.WIFSIGNALED(status):
        seen = f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    else:
        seen = "escaped: it ended by itself" if status == 0 else "ended with an error"
    expected = "ended by SIGXFSZ" if escape.fills and "watched scratch" in layers else escape.expected
    return Row(escape.name, expected, seen, layers)


def _try(escape: Escape, bait: Bait, locked: bool, lacks: Sequence[str], answer: int) -> None:
    layers: list[str] = []
    if lacks:
        seccomp.install([rule for name in lacks for rule in LACKS[name]])
    if locked:
        jail = Jail(scratch=bait.scratch, readable=(bait.readable,), keep_fds=(answer,))
        layers = lock_down(jail, escape.limits, required=False)
    os.write(answer, json.dumps(layers).encode() + b"\n")
    try:
        won = escape.attempt(bait)
        seen = f"works: {won}" if escape.expected == "works" else f"escaped: {won}"
    except (OSError, MemoryError, RuntimeError, Refused) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        seen = f"refused: {reason or type(problem).__name__}"
    os.write(answer, json.dumps(seen[:500]).encode() + b"\n")
    os._exit(0)


def _all_of(descriptor: int, deadline: float) -> bytes | None:
    """What comes until the other side closes; None where that takes too long."""
    said = b""
    with os.fdopen(descriptor, "rb", buffering=0) as answer:
        while select.select([answer], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = answer.read(1 << 16)
            if not part:
                return said
            said += part
    return None


def self_test(*, locked: bool = True, lacks: Sequence[str] = ()) -> list[Row]:
    """Tries every escape; arguments as for `tried`."""
    rows = []
    for escape in ESCAPES:
        with laid_out() as bait:
            rows.append(tried(escape, bait, locked=locked, lacks=lacks))
    return rows
