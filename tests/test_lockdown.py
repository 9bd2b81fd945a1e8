"""The lockdown holds: each escape is tried for real, as root and as an ordinary user, with all layers or fewer."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import mmap
import os
import platform
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the lockdown needs Linux", allow_module_level=True)

from autograder import isolation
from autograder.assignment import Assignment
from autograder.contestant import escapes, guardian, kernel, lockdown, namespaces, seccomp
from autograder.contestant.escapes import ESCAPES, LACKS, LIMITS, Bait, Escape
from autograder.contestant.lockdown import Jail, LockdownError, available, environment, lock_down, shortfall
from autograder.intake import take_in
from autograder.judge import contestant
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestant, Contestants, ContestantsUnavailable, Isolation
from autograder.judge.zygote import Zygote

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 20.0

LACKING = shortfall(available())
holds_here = pytest.mark.skipif(bool(LACKING), reason=f"this machine cannot lock down: {'; '.join(LACKING)}")


def report_without(*lacks: str) -> dict[str, str]:
    return available(lambda: seccomp.install([rule for name in lacks for rule in LACKS[name]]))


@pytest.fixture
def bait() -> Iterator[Bait]:
    with escapes.laid_out() as laid:
        yield laid


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


class Child:
    """A forked child, locked down, that runs ``work`` and reports what it returns or raises."""

    def __init__(
        self,
        scratch: Path,
        work: Callable[[], object],
        *,
        lacks: tuple[str, ...] = (),
        required: bool = True,
        output: int | None = None,
    ) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                if lacks:
                    seccomp.install([rule for name in lacks for rule in LACKS[name]])
                jail = Jail(scratch=scratch, keep_fds=(writing,), output=output)
                try:
                    layers = lock_down(jail, LIMITS, required=required)
                    said = {"layers": layers, "value": work()}
                except BaseException as problem:
                    said = {"raised": type(problem).__name__, "text": str(problem)}
                os.write(writing, json.dumps(said).encode())
            finally:
                os._exit(0)
        os.close(writing)
        self.reading = reading

    def said(self) -> bytes:
        """All that came, once every copy of the pipe's other end is closed."""
        said, deadline = b"", time.monotonic() + PATIENCE_S
        while select.select([self.reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = os.read(self.reading, 1 << 16)
            if not part:
                os.close(self.reading)
                return said
            said += part
        raise AssertionError("somebody still holds the descriptor")

    def result(self) -> dict[str, Any]:
        said = self.said()
        _, self.status = os.waitpid(self.pid, 0)
        return dict(json.loads(said)) if said else {}


# Every escape, with all that the machine has and with the namespaces missing.


@holds_here
@pytest.mark.parametrize("escape", ESCAPES, ids=lambda escape: escape.name)
def test_holds_with_all_that_the_machine_has(escape: Escape, bait: Bait) -> None:
    row = escapes.tried(escape, bait)
    assert row.held, row


@pytest.mark.skipif(bool(shortfall(report_without("namespaces"))), reason="this kernel has no Landlock")
@pytest.mark.parametrize("escape", ESCAPES, ids=lambda escape: escape.name)
def test_holds_where_namespaces_are_forbidden(escape: Escape, bait: Bait) -> None:
    row = escapes.tried(escape, bait, lacks=["namespaces"])
    assert row.held, row
    assert "mount namespace" not in row.layers


@pytest.mark.slow
@pytest.mark.skipif(bool(shortfall(report_without("landlock"))), reason="no namespaces are to be had here")
def test_holds_without_landlock() -> None:
    rows = escapes.self_test(lacks=["landlock"])
    assert [row for row in rows if not row.held] == []
    assert not any("landlock" in layer for layer in rows[0].layers)


@pytest.mark.slow
@pytest.mark.parametrize("escape", [e for e in ESCAPES if e.expected != "works"], ids=lambda escape: escape.name)
def test_succeeds_without_a_lockdown(escape: Escape, bait: Bait) -> None:
    """An escape that fails by itself would prove nothing."""
    if escape.name == "open a file by its handle" and os.geteuid() != 0:
        pytest.skip("an ordinary user may not do this anyway")
    row = escapes.tried(escape, bait, locked=False)
    assert row.seen.startswith("escaped"), row


def forbid_user_namespaces() -> None:
    """What an administrator does by sysctl, done to this process alone, which then has no rights to undo it."""
    user = os.geteuid()
    kernel.call("unshare", namespaces.NEW_USER)
    Path("/proc/self/uid_map").write_text(f"1000 {user} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    lockdown._drop_capabilities()


def test_needs_no_user_namespaces() -> None:
    report = available(forbid_user_namespaces)
    if not report:
        pytest.skip("this system forbids them already")
    assert "No space left" in report["user namespace"]  # how the kernel says that the limit is reached
    assert shortfall(report) == ([] if report["landlock"] == "" else shortfall(report_without("namespaces")))


AS_SOMEBODY = """
import json, sys
sys.path.insert(0, sys.argv[1])
from autograder.contestant import escapes
rows = escapes.self_test(lacks=sys.argv[2:])
print(json.dumps([[row.escape, row.expected, row.seen, row.held, row.layers] for row in rows]))
"""


@pytest.fixture(scope="module")
def for_everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A Python and a copy of the code that an ordinary user can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else; the other tests ran as an ordinary user")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    setpriv = shutil.which("setpriv")
    if python is None or setpriv is None:
        pytest.skip("no python3 outside of root's home, or no setpriv")
    new_enough = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    if subprocess.run(new_enough, check=False).returncode:
        pytest.skip(f"{python} is older than 3.11")
    folder = Path(os.path.realpath("/tmp"), f"mizan-test-{os.getpid()}")
    shutil.copytree(ROOT / "autograder" / "contestant", folder / "autograder" / "contestant")
    (folder / "autograder" / "__init__.py").touch()
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    yield python, folder
    shutil.rmtree(folder)


@pytest.mark.slow
@holds_here
@pytest.mark.parametrize("user", ["root", "nobody"])
@pytest.mark.parametrize("lacks", [(), ("namespaces",)], ids=["all layers", "no namespaces"])
def test_holds_as_root_and_as_an_ordinary_user(
    user: str, lacks: tuple[str, ...], for_everybody: tuple[str, Path]
) -> None:
    python, folder = for_everybody
    if shortfall(report_without(*lacks)):
        pytest.skip("this machine lacks what is needed for that")
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if user == "nobody" else []
    done = subprocess.run(
        [*become, python, "-I", "-c", AS_SOMEBODY, str(folder), *lacks],
        cwd="/",
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert len(rows) == len(ESCAPES)
    assert [row for row in rows if not row[3]] == []
    layers = rows[0][4]
    assert ("own user id" in layers) == (user == "root")
    assert ("mount namespace" in layers) <= (not lacks)


# What is refused to start with.


@pytest.mark.parametrize("lacks", [("namespaces", "landlock"), ("seccomp",)], ids=" and ".join)
def test_refuses_where_a_needed_layer_is_missing(lacks: tuple[str, ...], scratch: Path) -> None:
    said = Child(scratch, lambda: "student code ran", lacks=lacks).result()
    assert said["raised"] == LockdownError.__name__
    assert "--isolation none" in str(said["text"])
    assert lacks[-1] in str(said["text"])
    assert shortfall(report_without(*lacks))


def test_goes_on_where_it_may(scratch: Path) -> None:
    said = Child(scratch, lambda: "ran", lacks=("namespaces", "landlock"), required=False).result()
    assert said["value"] == "ran"
    assert "seccomp" in said["layers"]
    assert "mount namespace" not in said["layers"]


@holds_here
def test_names_the_layers_in_force(scratch: Path) -> None:
    said = Child(scratch, lambda: None).result()
    in_force = {name for name, reason in available().items() if not reason}
    assert {str(name).split(" abi ")[0] for name in said["layers"]} == in_force


# What a contestant has.


@holds_here
@pytest.mark.parametrize("lacks", [(), ("namespaces",)], ids=["all layers", "no namespaces"])
def test_environment_and_descriptors_are_as_promised(scratch: Path, lacks: tuple[str, ...]) -> None:
    if shortfall(report_without(*lacks)):
        pytest.skip("this machine lacks what is needed for that")
    secret, _ = os.pipe()

    def look() -> object:
        found = []
        for descriptor in range(200):
            try:
                os.fstat(descriptor)
                found.append(descriptor)
            except OSError:
                pass
        return [dict(os.environ), found, os.read(0, 10).decode(), str(Path.cwd()), os.umask(0)]

    said = Child(scratch, look, lacks=lacks).result()
    variables, found, typed, folder, mask = said["value"]
    assert variables == environment(scratch.resolve())
    assert len(found) == 4 and {0, 1, 2} < set(found) and secret not in found
    assert (typed, folder, mask) == ("", str(scratch.resolve()), 0o077)


@holds_here
def test_output_goes_where_it_is_told(scratch: Path) -> None:
    reading, writing = os.pipe()

    def speak() -> None:
        os.write(1, b"out ")
        os.write(2, b"err")

    Child(scratch, speak, output=writing).result()
    os.close(writing)
    assert os.read(reading, 100) == b"out err"
    os.close(reading)


@pytest.mark.skipif(available().get("scratch quota") != "", reason="no file system of its own is to be had here")
def test_scratch_is_a_copy_without_links(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the answer")
    (scratch / "hw1").mkdir()
    (scratch / "hw1" / "a name with spaces, علامت\n.py").write_text("mine")
    (scratch / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(scratch / "pipe")

    def look() -> object:
        found = sorted(str(path.relative_to(scratch)) for path in scratch.rglob("*"))
        text = (scratch / found[1]).read_text()
        (scratch / found[1]).write_text("changed")
        (scratch / "new").write_text("new")
        return [found, text]

    said = Child(scratch, look).result()
    name = "hw1/a name with spaces, علامت\n.py"
    assert said["value"] == [["hw1", name], "mine"], said
    assert (scratch / name).read_text() == "mine"
    assert not (scratch / "new").exists()


@holds_here
def test_may_signal_itself(scratch: Path) -> None:
    def work() -> list[int]:
        heard: list[int] = []
        signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
        os.kill(os.getpid(), signal.SIGUSR1)
        return heard

    assert Child(scratch, work).result()["value"] == [signal.SIGUSR1]


# How it ends.


@holds_here
@pytest.mark.parametrize("lacks", [(), ("namespaces",)], ids=["all layers", "no namespaces"])
def test_ends_as_the_contestant_does(scratch: Path, lacks: tuple[str, ...]) -> None:
    if shortfall(report_without(*lacks)):
        pytest.skip("this machine lacks what is needed for that")

    def ended(work: Callable[[], object]) -> int:
        child = Child(scratch, work, lacks=lacks)
        child.result()
        return os.waitstatus_to_exitcode(child.status)

    assert ended(lambda: os._exit(7)) == 7
    assert ended(lambda: ctypes.string_at(0)) == -signal.SIGSEGV
    # The first process of a namespace is deaf to its own SIGABRT; the C library then ends it by other means.
    assert ended(os.abort) in {-signal.SIGABRT, -signal.SIGSEGV}


def processes_left_behind() -> None:
    """Forks twice, in sessions of their own, and goes on for long."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
    time.sleep(60)


@pytest.mark.skipif(available().get("pid namespace") != "", reason="no process-table namespace is to be had here")
def test_killing_it_kills_all_that_it_started(scratch: Path) -> None:
    """Without seccomp, which would not let it start anything."""
    child = Child(scratch, processes_left_behind, lacks=("seccomp",), required=False)
    time.sleep(0.3)
    assert not select.select([child.reading], [], [], 0)[0]
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    assert child.said() == b""


@holds_here
@pytest.mark.parametrize("lacks", [(), ("namespaces",)], ids=["all layers", "no namespaces"])
def test_dies_with_whoever_started_it(scratch: Path, lacks: tuple[str, ...]) -> None:
    if shortfall(report_without(*lacks)):
        pytest.skip("this machine lacks what is needed for that")

    def stay() -> None:
        os.write(1, b"up")
        time.sleep(60)

    reading, writing = os.pipe()
    starter = os.fork()
    if starter == 0:
        Child(scratch, stay, lacks=lacks, output=writing)
        os.close(writing)
        time.sleep(60)
        os._exit(0)
    os.close(writing)
    assert os.read(reading, 2) == b"up"
    os.kill(starter, signal.SIGKILL)
    os.waitpid(starter, 0)
    assert select.select([reading], [], [], PATIENCE_S)[0]
    assert os.read(reading, 10) == b""
    os.close(reading)


@pytest.mark.skipif(bool(shortfall(report_without("namespaces"))), reason="this kernel has no Landlock")
def test_guardian_ends_a_contestant_that_fills_its_scratch(scratch: Path) -> None:
    child = Child(
        scratch, lambda: escapes._filled(Bait(scratch, scratch, scratch, 0, 0, "", 0, 0)), lacks=("namespaces",)
    )
    assert child.result() == {}
    assert os.waitstatus_to_exitcode(child.status) == -signal.SIGXFSZ


def test_usage_counts_pages_and_entries(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"1")
    (tmp_path / "a" / "b" / "more").write_bytes(bytes(guardian.PAGE + 1))
    (tmp_path / "link").symlink_to("/")
    assert guardian.usage(tmp_path)[1] == 5
    assert guardian.usage(tmp_path)[0] >= 3 * guardian.PAGE


# The filter.


def test_numbers_of_system_calls_are_the_kernels() -> None:
    """Against libseccomp's tables, for both machines."""
    path = ctypes.util.find_library("seccomp")
    if path is None:
        pytest.skip("libseccomp is not installed")
    resolve = ctypes.CDLL(path).seccomp_syscall_resolve_name_arch
    unknown = -1
    for name, numbers in kernel.NUMBERS.items():
        for machine, number in zip(kernel.MACHINES, numbers, strict=True):
            theirs = resolve(ctypes.c_uint32(seccomp.AUDIT_ARCH[machine]), name.encode())
            if theirs != unknown:  # newer than the library
                assert (number or -1) == max(theirs, -1), (name, machine)


@holds_here
@pytest.mark.skipif(platform.machine() != "x86_64", reason="about x86-64 alone")
def test_other_ways_into_the_kernel_are_shut(scratch: Path) -> None:
    """The x32 and the 32-bit calls have numbers of their own, which a filter may overlook."""

    def x32_getpid() -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.syscall(ctypes.c_long(0x40000000 | 39)) == -1
        return ctypes.get_errno()

    def int_80_getpid() -> int:
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20; int 0x80; ret
        return int(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())

    assert Child(scratch, x32_getpid).result()["value"] == 38  # ENOSYS
    child = Child(scratch, int_80_getpid)
    assert child.result() == {}
    assert os.waitstatus_to_exitcode(child.status) == -signal.SIGSYS


@holds_here
def test_calls_newer_than_the_list_do_not_exist(scratch: Path) -> None:
    def newest() -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.syscall(ctypes.c_long(kernel.NEWEST_NUMBER + 1), 0, 0, 0, 0) == -1
        return ctypes.get_errno()

    assert Child(scratch, newest).result()["value"] == 38


# The command.


@holds_here
def test_command_prints_every_escape(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    isolation.add_parser(parser.add_subparsers())
    monkeypatch.setattr(isolation, "self_test", lambda lacks: [escapes.Row("a way out", "refused", "escaped: x", ())])
    arguments = parser.parse_args(["isolation"])
    assert arguments.run(arguments) == isolation.BROKEN
    printed = capsys.readouterr().out
    assert "a way out" in printed and "0 of 1 as expected" in printed and "seccomp" in printed


def test_command_says_why_grading_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    isolation.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["isolation", "--without", "seccomp"])
    assert arguments.run(arguments) == isolation.BROKEN
    printed = capsys.readouterr().out
    assert "Grading refuses on this machine" in printed and "--isolation none" in printed


def test_runtime_shows_no_sources_of_the_kit() -> None:
    """The kit's own sources are on ``sys.path``, and must not be seen."""
    assert lockdown.runtime() and all(path.is_absolute() for path in lockdown.runtime())
    assert not any(ROOT.is_relative_to(path) or path == ROOT / "solutions" for path in lockdown.runtime())


# The judge's side.


@pytest.fixture
def level(request: pytest.FixtureRequest) -> Isolation:
    found: Isolation = request.getfixturevalue("isolation")
    return found


AS_ON_A_MACHINE_WITHOUT_SECCOMP = """
import sys
from autograder import cli
from autograder.contestant import seccomp
from autograder.contestant.escapes import LACKS
seccomp.install(LACKS["seccomp"])
sys.exit(cli.grade_main(sys.argv[1:]))
"""


@pytest.mark.parametrize("what", ["--submission", "--submissions"])
def test_grading_refuses_in_one_line_where_it_cannot_lock_away(what: str, tmp_path: Path) -> None:
    samples = ROOT / "tests" / "samples"
    place = samples / "mixed" if what == "--submission" else samples
    command = [
        sys.executable,
        "-c",
        AS_ON_A_MACHINE_WITHOUT_SECCOMP,
        what,
        str(place),
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert "seccomp" in done.stderr and "`--isolation none`" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_parent_that_does_not_answer_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its late answer would be taken for that to the next order, and so on to the end of the class."""
    monkeypatch.setattr(contestant, "READY_S", 0.05)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    silent = Zygote()
    silent.control = ours
    with Contestants(zygote=silent) as contestants, theirs:
        with pytest.raises(ContestantsUnavailable, match="timed out"):
            contestants.order({"op": "end", "number": 0, "patience_s": 0})
            contestants.answer()
        with pytest.raises(OSError):
            theirs.send(b'{"status": 0}')
        with pytest.raises(ContestantsUnavailable):
            contestants.order({"op": "start"})


def test_a_class_stops_where_no_contestant_is_to_be_had(judge: Judge) -> None:
    """It is no student's fault, and none of the checks'."""

    def start() -> Contestant:
        raise ContestantsUnavailable("none left")

    with pytest.raises(ContestantsUnavailable, match="none left"):
        judge.check(start)


def test_a_parent_may_take_longer_to_load_torch_than_a_contestant_to_start(
    monkeypatch: pytest.MonkeyPatch, level: Isolation
) -> None:
    """The first contestant waits for both."""
    monkeypatch.setattr(contestant, "START_S", 0.001)
    with Contestants(level) as contestants:
        contestants.prove()
        assert contestants.zygote.warm


def test_no_copy_of_a_submission_is_left_where_the_parent_dies(
    judge: Judge,
    assignment: Assignment,
    hand_in: Callable[..., Path],
    level: Isolation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three stubs have contestants by then, and none of them can be ended."""
    place = tmp_path / "place"
    take_in(hand_in(), assignment).assemble(assignment, place)
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    with Contestants(level) as contestants:

        def start() -> Contestant:
            return contestants.start(place, assignment.name, assignment.stubs)

        def told(done: float) -> None:
            if len(list(copies.iterdir())) == 3:
                contestants.zygote.process.kill()

        with pytest.raises(ContestantsUnavailable):
            judge.check(start, on_progress=told)
        assert not list(copies.iterdir())
