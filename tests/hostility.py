"""The corpus of hostile and broken hand-ins: laid out as classes, graded by the command line, and compared.

    python -m tests.hostility [--theme NAME] [--only TEXT] [--user NUMBER] [--without namespaces]

lays out the attacks of `tests/hostile` and the odd file trees of `TREES` between honest hand-ins, grades them as
classes, and prints for each what was expected (`tests/hostile/expected.toml`) and what was seen. Exit 1 on any
difference, on any attack that earned more than its honest twin, and where an honest hand-in's result changed.

Everything runs in a copy of the kit whose time limits and trainings are short (`SHORT`): attacks that hang are many,
and what they wait for is not worth much time.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import tomllib
import traceback
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.assignment import load
from autograder.classroom import hand_ins
from autograder.contestant import kernel, namespaces, seccomp
from autograder.contestant.escapes import LACKS
from autograder.contestant.scratch import scratch
from autograder.intake import plain
from autograder.report import render
from autograder.results import Result, read_result

ROOT = Path(__file__).resolve().parents[1]
HOSTILE = ROOT / "tests" / "hostile"
CANARY = "canary-7f31c2"
"""Stands in the grader's environment; no report may hold it."""

SOMEBODY = "Somebody Else 9081726354"
"""The name of one of the honest students."""

KIT = ("autograder", "solutions", "report_template/locale", "tests/hostile", "tests/hostility.py", "tests/samples")
"""What the copy of the kit holds."""

SHORT: dict[str, dict[str, str]] = {
    "autograder/judge/contestant.py": {
        r"IMPORT_S = .*": "IMPORT_S = 5.0",
        r"\nCALL_S = .*": "\nCALL_S = 3.0",
    },
    "autograder/judge/checks.py": {r"PATIENCE_S = .*": "PATIENCE_S = 2.5"},
    "autograder/experiments.py": {
        r"BATCH_S = .*": "BATCH_S = 3.0",
        # Here every training reaches its threshold, so that what keeps an attack from the points is not its accuracy.
        r"stored = thresholds.stored.*": 'stored = {"thresholds": dict.fromkeys(row.judged, 0.0), "reference": {}}',
        # The map takes a minute and a half, nearly all of it to compile; its own tests give it features of all kinds.
        r"mapped\(measurement, measured.arrays, order.earlier\)": "measured.arrays",
        # In threads, so that not every hand-in loads torch anew.
        r"ProcessPoolExecutor\(workers, context, ": "ThreadPoolExecutor(workers, ",
        r"import ProcessPoolExecutor": "import ThreadPoolExecutor",
        r"stop_by\(signal.SIGTERM, .*": "",
        r"threading.Thread\(target=_end_with_parent, daemon=True\).start\(\)": "pass",
    },
    "solutions/hw1/experiments.py": {
        r"width=16": "width=4",
        r'train={"Q1": 4800, "Q2": \d+}': 'train={"Q1": 320, "Q2": 320}',
        r"test=2000": "test=60",
        r"embedded=300": "embedded=20",
        r"time_limit_s=600": "time_limit_s=15",
        r'epochs={"quick": \d+': 'epochs={"quick": 1',
    },
}
"""File of the kit -> what is written otherwise in the copy."""

Files = dict[str, bytes]
Builder = Callable[[Path, Files], object]
"""Makes a hand-in at a path out of the reference's files."""

# --- archives and trees ------------------------------------------------------------------------------------

EVIL = b"import os\nos._exit(0)\n"
"""What no file may contain that is run: it ends the process."""

ZEROS = gzip.compress(bytes(64 << 20))
"""64 MiB in 64 KiB; members of a gzip may follow each other."""


def folder(path: Path, files: Mapping[str, bytes]) -> Path:
    """A hand-in as a folder; names may hold slashes."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zipped(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A hand-in as a zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Mapping[str, bytes], *extra: tarfile.TarInfo) -> Path:
    """A hand-in as a tar.gz; the entries of ``extra`` come first, without content."""
    with tarfile.open(path, "w:gz") as archive:
        for entry in extra:
            archive.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A tar's entry that is no file."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def linked_in_zip(path: Path, files: Files) -> None:
    """A zip in which attacks.py is a symbolic link to the reference."""
    with zipfile.ZipFile(zipped(path, {name: files[name] for name in ("losses.py", "resnet.py")}), "a") as archive:
        entry = zipfile.ZipInfo("attacks.py")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, str(ROOT / "solutions" / "hw1" / "attacks.py"))


def zeros(path: Path, files: Files, header: bytes) -> None:
    """A tar.gz of ten gigabytes of zeros behind ``header``, in ten megabytes."""
    start = io.BytesIO()
    with tarfile.open(fileobj=start, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        body = start.getvalue()[: archive.offset]
    with path.open("wb") as file:
        file.write(gzip.compress(body + header))
        for _ in range(160):
            file.write(ZEROS)


def header(kind: bytes, size: int) -> bytes:
    """A tar's header of this kind that claims a content of ``size`` bytes."""
    entry = special("zeros", kind)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


def million(path: Path, files: Files, told: int) -> None:
    """A zip whose directory has a million entries, of which its end tells ``told``."""
    zipped(path, files)
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0) + b"a.py"
    directory = entry * 1_000_000
    content = path.read_bytes()
    content = content[: content.rindex(b"PK\5\6")]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, told, told, len(directory), len(content), 0)
    path.write_bytes(content + directory + end)


def locked(path: Path, files: Files) -> None:
    """A zip whose members say that they are encrypted."""
    content = bytearray(zipped(path, files).read_bytes())
    for magic, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.find(magic)
        while place >= 0:
            content[place + at] |= 1
            place = content.find(magic, place + 4)
    path.write_bytes(content)


def chained(path: Path, files: Files) -> None:
    """A tar of ten thousand names for the same member, one header after the other."""
    link = header(tarfile.GNUTYPE_LONGNAME, 2) + b"a\0".ljust(512, b"\0")
    path.write_bytes(link * 10_000)


def sparse(path: Path, files: Files) -> None:
    """A tar of files with holes, which claim to be small and are not."""
    entry = tarfile.TarInfo("attacks.py")
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}
    entry.size = 1024
    content = b"1\n0\n512\n".ljust(512, b"\0") + bytes(512)
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(entry, io.BytesIO(content))


def looped(path: Path, files: Files) -> None:
    """A folder with links that lead round in a circle, to the root, and to the reference in place of attacks.py."""
    folder(path, {name: files[name] for name in ("losses.py", "resnet.py")})
    (path / "again").symlink_to(path)
    (path / "root").symlink_to("/")
    (path / "attacks.py").symlink_to(ROOT / "solutions" / "hw1" / "attacks.py")


def piped(path: Path, files: Files) -> None:
    """A folder with pipes in it: whoever opens one waits for ever."""
    folder(path, files)
    os.mkfifo(path / "pipe.py")
    os.mkfifo(path / "student.toml")


def deep(path: Path, files: Files) -> None:
    """A folder with two thousand folders in each other."""
    here = Path.cwd()
    folder(path, files)
    os.chdir(path)
    for _ in range(2000):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(here)


def crowded(path: Path, files: Files) -> None:
    """A folder of too many files."""
    folder(path, files)
    for number in range(20_001):
        (path / f"{number}.py").touch()


def with_first(content: bytes) -> Builder:
    """Puts bytes before a zip, as a self-extracting one has them."""
    return lambda path, files: path.write_bytes(content + zipped(path, files).read_bytes())


def odd_name(raw: bytes) -> Builder:
    """A tar with a file whose name is no UTF-8."""
    return lambda path, files: tarred(path, {**files, os.fsdecode(raw): b"x = 1\n"})


def identified(text: bytes) -> Builder:
    """A hand-in with this student.toml."""
    return lambda path, files: folder(path, {**files, "student.toml": text})


def in_attacks(change: Callable[[bytes], bytes]) -> Builder:
    """A hand-in whose attacks.py was changed as bytes."""
    return lambda path, files: folder(path, {**files, "attacks.py": change(files["attacks.py"])})


def beside(**more: bytes) -> Builder:
    """A hand-in with more files; in their names two underscores stand for a slash, and one for a dot."""
    named = {name.replace("__", "/").replace("_", "."): content for name, content in more.items()}
    return lambda path, files: folder(path, {**files, **named})


def also(files: Mapping[str, bytes]) -> Builder:
    """A zip with more files."""
    return lambda path, own: zipped(path, {**own, **files})


def with_notebook(content: bytes, name: str = "q1_a_base.ipynb") -> Builder:
    """A hand-in with a notebook of written answers that holds these bytes."""
    return lambda path, files: folder(path, {**files, name: content})


def answer(text: str, copies: int = 1) -> bytes:
    """A notebook with an answer, in so many cells of the same name."""
    cell = {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": "q1_domain_gap"}}, "source": text}
    return json.dumps({"cells": [cell] * copies, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


PERSIAN_COMMENT = "# تمرین\n"

TREES: dict[str, Builder] = {
    # Names that lead elsewhere.
    "dots.zip": also({"../attacks.py": EVIL, "a/../../losses.py": EVIL, "..": EVIL}),
    "absolute.zip": also({"/attacks.py": EVIL, "//etc/attacks.py": EVIL, "C:\\attacks.py": EVIL}),
    "dots.tar.gz": lambda path, files: tarred(path, {**files, "../attacks.py": EVIL, "/attacks.py": EVIL}),
    "symlink.zip": linked_in_zip,
    "symlink.tar.gz": lambda path, files: tarred(path, files, special("a.py", tarfile.SYMTYPE, "/etc/passwd")),
    "hardlink.tar.gz": lambda path, files: tarred(path, files, special("a.py", tarfile.LNKTYPE, "/etc/passwd")),
    "folder_link.tar.gz": lambda path, files: tarred(
        path, {**files, "d/attacks.py": EVIL}, special("d", tarfile.SYMTYPE, "/tmp")
    ),
    "devices.tar.gz": lambda path, files: tarred(
        path, files, *(special(f"{kind!r}.py", kind) for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE))
    ),
    "links": looped,
    "pipes": piped,
    # Bombs.
    "ten_gigabytes.tar.gz": lambda path, files: zeros(path, files, header(tarfile.REGTYPE, 10 << 30)),
    "ten_gigabytes_of_name.tar.gz": lambda path, files: zeros(
        path, files, header(tarfile.GNUTYPE_LONGNAME, 10 << 30)
    ),
    "ten_gigabytes_of_header.tar.gz": lambda path, files: zeros(path, files, header(tarfile.XHDTYPE, 10 << 30)),
    "zeros.zip": also({"zeros.py": bytes(64 << 20)}),
    "zeros_beside.zip": also({"zeros.bin": bytes(64 << 20)}),
    "zeros_bz2.zip": lambda path, files: zipped(path, {**files, "zeros.py": bytes(64 << 20)}, zipfile.ZIP_BZIP2),
    "zeros_lzma.zip": lambda path, files: zipped(path, {**files, "zeros.py": bytes(16 << 20)}, zipfile.ZIP_LZMA),
    "million.zip": lambda path, files: million(path, files, 0xFFFF),
    "million_told_as_one.zip": lambda path, files: million(path, files, 1),
    "many_small.zip": also({f"{number}.py": b"x" * 1000 for number in range(17_000)}),
    "crowd": crowded,
    "deep": deep,
    "names_chained.tar": chained,
    "sparse.tar.gz": sparse,
    "zip_in_zip.zip": lambda path, files: path.write_bytes(
        zipped(path, {"inner.zip": zipped(path, files).read_bytes()}).read_bytes()
    ),
    # Broken.
    "half.zip": lambda path, files: path.write_bytes(zipped(path, files).read_bytes()[:-500]),
    "spoilt.zip": lambda path, files: path.write_bytes(
        zipped(path, files).read_bytes().replace(b"PK\3\4", b"PK\3\5")
    ),
    "half.tar.gz": lambda path, files: path.write_bytes(tarred(path, files).read_bytes()[:1000]),
    "locked.zip": locked,
    "text.zip": lambda path, files: path.write_text("this is no archive"),
    "empty.zip": lambda path, files: path.touch(),
    "no_members.zip": lambda path, files: zipped(path, {}),
    "empty": lambda path, files: path.mkdir(),
    "noise.tar.gz": lambda path, files: path.write_bytes(b"\x1f\x8b" + os.urandom(5000)),
    "self_extracting.zip": with_first(b"MZ" + bytes(5000)),
    "zip_called.tar.gz": lambda path, files: zipped(path, files),
    # Names.
    "persian.zip": lambda path, files: zipped(path, {f"تمرین ۱/{name}": text for name, text in files.items()}),
    "پاسخ سارا": folder,
    "with spaces (1) copy": folder,
    "line\nbreak": folder,
    "turned\u202egpj.zip": zipped,
    "=cmd|'calc'!A0": folder,
    "<img src=x onerror=alert(1)>": folder,
    "\x1b[2J[bold]steered": folder,
    "-rf": folder,
    "summary.csv": folder,
    "class.html": folder,
    "grader-fault.txt": folder,
    "extra_level.zip": lambda path, files: zipped(path, {f"a/b c/hw1/{name}": text for name, text in files.items()}),
    "turned_inside.zip": lambda path, files: zipped(path, {f"\u202eh/\n/{name}": x for name, x in files.items()}),
    "case.zip": also({"Attacks.py": EVIL, "ATTACKS.PY": EVIL, "attacks.PY": EVIL}),
    "twice.zip": also({"copy/attacks.py": EVIL, "hw1 (1)/attacks.py": EVIL}),
    "no_utf8.tar.gz": odd_name(b"\xff\xfe.py"),
    "long_name.zip": also({"x" * 300 + ".py": EVIL, "y" * 60_000 + ".py": EVIL}),
    "file_and_folder.zip": also({"attacks.py/x.py": EVIL, "training.py/x.py": EVIL, "__init__.py/y.py": EVIL}),
    "folder_like_a_file": lambda path, files: folder(path, {**files, "training.py/x.py": EVIL}),
    # Texts.
    "crlf": in_attacks(lambda text: text.replace(b"\n", b"\r\n")),
    "bom": in_attacks(lambda text: b"\xef\xbb\xbf" + text),
    "no_utf8_source": in_attacks(lambda text: PERSIAN_COMMENT.encode("cp1256", "replace") + b"# \xff\xfe\n" + text),
    "declared_coding": in_attacks(lambda text: b"# coding: latin-1\n# \xff\xfe\n" + text),
    "utf16": in_attacks(lambda text: text.decode().encode("utf-16")),
    "nul": in_attacks(lambda text: text + b"\0"),
    "empty_source": in_attacks(lambda text: b""),
    "deep_source": in_attacks(lambda text: text + b"x = " + b"(" * 5000 + b")" * 5000),
    # Files with a meaning.
    "macosx.zip": also({"__MACOSX/attacks.py": EVIL, "__MACOSX/._attacks.py": b"\0\5\x16\7", ".DS_Store": b"\0"}),
    "sitecustomize": beside(sitecustomize_py=EVIL, usercustomize_py=EVIL),
    "conftest": beside(conftest_py=EVIL, tests__conftest_py=EVIL),
    "pytest_ini": beside(pytest_ini=b"[pytest]\naddopts = -p evil\n", evil_py=EVIL, tox_ini=b"[pytest]\n"),
    "package_torch": beside(torch____init___py=EVIL, torch_py=EVIL, torch__nn_py=EVIL),
    "package_autograder": beside(autograder__wire_py=EVIL, autograder_py=EVIL, wire_py=EVIL),
    "standard_modules": beside(json_py=EVIL, struct_py=EVIL, socket_py=EVIL, typing_py=EVIL),
    "pth": beside(evil_pth=b"import os; os._exit(0)\n", evil_py=EVIL),
    "provided_code_shadowed": beside(training_py=EVIL, datasets_py=EVIL, experiments_py=EVIL, measurement_py=EVIL),
    "stub_packages": lambda path, files: folder(
        path,
        {**files, "attacks/__init__.py": EVIL, "__init__.py": EVIL, "attacks/fgsm.py": EVIL, "__main__.py": EVIL},
    ),
    "own_checks": lambda path, files: folder(
        path, {**files, "tests/test_attacks.py": EVIL, "grading/rubric.toml": b""}
    ),
    "compiled": lambda path, files: folder(
        path, {**files, "attacks.so": b"\x7fELF", "__pycache__/attacks.pyc": b"\0"}
    ),
    "model_shipped": lambda path, files: folder(path, {**files, "resnet18.pt": b"\x80\x04cos\nsystem\n(S'id'\ntR."}),
    "results_shipped": lambda path, files: folder(path, {**files, "results.json": b'{"score": 100}'}),
    # Notebooks.
    "answer_of_markup": with_notebook(answer("<script>alert(1)</script> ![x](http://127.0.0.1/x.png)")),
    "answer_that_turns": with_notebook(answer("\u202egpj.exe \u2067 \x1b[2J \x00 \ud800")),
    "answer_of_100_mb": lambda path, files: with_notebook(answer("x" * (100 << 20)))(path, files),
    "answers_of_100_mb.zip": lambda path, files: zipped(
        path, {**files, **{f"{number}/q1_a_base.ipynb": answer("x" * (15 << 20)) for number in range(7)}}
    ),
    "answer_100_000_times": with_notebook(answer("x", 100_000)),
    "notebook_too_deep": with_notebook(b'{"cells": ' + b"[" * 2_000_000),
    "notebook_of_values": with_notebook(b'{"cells": [' + b"{}," * 5_000_000 + b"0]}"),
    "notebook_of_digits": with_notebook(b'{"cells": ' + b"9" * 5_000_000 + b"}"),
    "notebook_of_nan": with_notebook(answer("x").replace(b'"nbformat": 4', b'"nbformat": NaN')),
    "notebook_no_utf8": with_notebook(b"\xff\xfe" + answer("x")),
    "notebook_no_json": with_notebook(b"\x80\x04cos\nsystem\n(S'id'\ntR."),
    "notebook_a_folder": with_notebook(EVIL, "q1_a_base.ipynb/attacks.py"),
    # The identity.
    "name_of_markup": identified(b'name = "<script>alert(1)</script>"\nnumber = "=1+1"\n'),
    "name_that_steers": identified(b'name = "\\u001b[2J\\u202e\\u0000"\n'),
    "name_too_large": identified(b"name = " + b'"' + b"a" * 500_000 + b'"'),
    "number_too_large": identified(b"number = " + b"9" * 4000),
    "name_too_deep": identified(b"name" + b".a" * 1500 + b" = 1"),
    "name_of_keys": identified(b"name" + b".a" * 200_000 + b" = 1"),
    "no_toml": identified(b"\xff\xfe = ["),
}
"""Hand-ins that are odd in their files, by name: made of the reference, so that what is not refused earns all."""


# --- the classes -------------------------------------------------------------------------------------------

TWINS = {
    "fgsm_attack": "def fgsm_attack(image, epsilon, data_grad):\n    return image.clone()\n",
    "pgd_attack": "def pgd_attack(image, epsilon, alpha, steps, grad_fn):\n    return image.clone()\n",
    "LabelSmoothingCrossEntropy": """
from torch import nn


class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.25):
        super().__init__()

    def forward(self, logits, target):
        return logits.mean()
""",
    "ResNet18": """
from torch import nn


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        self.fc = nn.Linear(1, 1)
""",
}
"""The honest twin of a stub's attacks: as wrong as they are, and nothing else."""

LOCKED_OUT = ("leaving", "bombs", "looking", "reaching")
"""The themes whose outcome hangs on the layers of the lockdown; all others are decided in the judge."""

TRAINED = {"training": {"ResNet18": "base", "LabelSmoothingCrossEntropy": "label_smoothing"}}
"""Theme -> stub -> the experiment that its attacks are graded with. They behave in the checks, being the reference
with something appended, so the reference is their twin."""

TWIN = "the twin"

HONEST = ("!first", "honest", "~last")
"""Honest hand-ins before, between and after the others."""


@dataclass(frozen=True)
class Attack:
    """One hand-in of the corpus. ``expected``: outcomes, parted by "or", then perhaps a part of what must be told."""

    name: str
    stub: str
    theme: str
    expected: str

    @property
    def group(self) -> str:
        """Which class it is graded in: the trees are as many as all others together, and trainings take long."""
        return f"{self.stub} {self.theme}" if self.theme in ("trees", *TRAINED) else self.stub


@dataclass(frozen=True)
class Seen:
    """What came of an attack, and what is wrong with that beside its differing from what was expected."""

    attack: Attack
    told: str
    wrong: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether all is as expected."""
        outcomes, _, part = self.attack.expected.partition(": ")
        return not self.wrong and self.told.startswith(tuple(outcomes.split(" or "))) and part in self.told


@dataclass(frozen=True)
class Graded:
    """A class after grading: its results by hand-in, and what the summary says where there is none."""

    results: dict[str, Result]
    problems: dict[str, str]
    exit_code: int
    output: str


@dataclass(frozen=True)
class Machine:
    """What the corpus is graded on: a copy of the kit, and what is seen of the machine.

    Attributes:
        kit: the copy.
        without: of `LACKS`: what the machine shall seem to lack.
        isolation: as `grade.py` takes it.
    """

    kit: Path
    without: tuple[str, ...] = ()
    isolation: str = "full"

    @property
    def secrets(self) -> list[str]:
        """What no student may read: seed, environment, others' names, solutions, and where things lie."""
        places = {str(self.kit), str(Path.home()), sys.prefix, sys.base_prefix} - {"/", "/usr", "/usr/local"}
        return [str(load(solutions=self.kit / "solutions").seed), CANARY, SOMEBODY, "BEGIN SOLUTION", *sorted(places)]


def corpus() -> list[Attack]:
    """All attacks, as the table says."""
    table = tomllib.loads((HOSTILE / "expected.toml").read_text(encoding="utf-8"))
    return [
        Attack(name, stub, theme, expected)
        for stub, themes in table.items()
        for theme, attacks in themes.items()
        for name, expected in attacks.items()
    ]


def copy_of_the_kit(place: Path) -> Path:
    """The kit with short limits, in ``place``."""
    for name in KIT:
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for name, changes in SHORT.items():
        text = (place / name).read_text(encoding="utf-8")
        for pattern, other in changes.items():
            text, count = re.subn(pattern, other, text)
            assert count, f"{pattern} is not in {name} any more"
        (place / name).write_text(text, encoding="utf-8")
    return place


def reference(kit: Path) -> Files:
    """The stub files of an honest hand-in."""
    assignment = load(solutions=kit / "solutions")
    return {f"{name}.py": (assignment.folder / f"{name}.py").read_bytes() for name in assignment.stubs.values()}


def lay_out(place: Path, kit: Path, attacks: Sequence[Attack], stub: str, theme: str) -> None:
    """Puts the hand-ins of one class into ``place``: the attacks on a stub, its twin, and the honest ones."""
    files, module = reference(kit), f"{load(solutions=kit / 'solutions').stubs[stub]}.py"
    trained = theme in TRAINED
    place.mkdir(parents=True)
    for attack in attacks:
        if attack.name in TREES:
            TREES[attack.name](place / attack.name, files)
            continue
        source = kit / "tests" / "hostile" / stub / attack.theme / f"{attack.name}.py"
        before = files[module] + b"\n\n" if trained else b""
        folder(place / attack.name, {**files, module: before + source.read_bytes()})
    folder(place / TWIN, files if trained else {**files, module: TWINS[stub].encode()})
    folder(place / HONEST[0], {**files, "student.toml": f'name = "{SOMEBODY}"'.encode()})
    if not trained:  # a training takes long, and two honest ones around the attacks are enough
        shutil.copytree(kit / "tests" / "samples" / "mixed", place / HONEST[1])
    zipped(place / f"{HONEST[2]}.zip", files)


def grade(machine: Machine, place: Path, out: Path, stub: str, theme: str) -> Graded:
    """Grades a class by the command line."""
    options = [f"--without={name}" for name in machine.without]
    experiment = TRAINED.get(theme, {}).get(stub, "")
    arguments = ["--submissions", str(place), "--out", str(out), "--only", stub, "--formats", "none", "--jobs", "1"]
    arguments += ["--isolation", machine.isolation]
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostility", *options, "grade", experiment, *arguments],
        cwd=machine.kit,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MIZAN_SECRET": CANARY, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace")
    if not (out / "summary.csv").exists():
        raise ChildProcessError(f"the class could not be graded, exit code {done.returncode}: {output}")
    names = [path.name for path in hand_ins(place)]
    with (out / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = dict(zip(names, csv.DictReader(file), strict=True))
    return Graded(
        {name: read_result(out / name) for name in names if not rows[name]["problem"]},
        {name: row["problem"] for name, row in rows.items() if row["problem"]},
        done.returncode,
        output,
    )


def verdicts(result: Result) -> dict[str, Any]:
    """What must be the same whenever a hand-in is graded: criteria and experiments without their times."""
    told: dict[str, Any] = {c.id: c.model_dump(exclude={"duration_s"}) for c in result.criteria}
    return told | {e.id: e.model_dump(exclude={"duration_s"}) for e in result.experiments}


def look(attack: Attack, graded: Graded, out: Path, twin: Result, secrets: Sequence[str]) -> Seen:
    """What came of one attack, next to its honest twin."""
    if attack.name in graded.problems:
        return Seen(attack, f"refused: {graded.problems[attack.name]}")
    result = graded.results[attack.name]
    bad = [criterion for criterion in result.criteria if criterion.status != "passed"]
    if attack.theme in TRAINED:
        bad = [criterion for criterion in bad if criterion.kind == "experiment"]
    honest = {criterion.id: criterion for criterion in twin.criteria}
    same = all(c.status == honest[c.id].status for c in result.criteria) and attack.theme not in TRAINED
    other = [c for c in bad if (c.status, c.message) != (honest[c.id].status, honest[c.id].message)]
    first = next(iter(other or bad), None)
    told = f"{'twin' if same else first.status}: {first.message.en}" if first else "passed"
    wrong = [f"gained {c.id}" for c in result.criteria if c.points > honest[c.id].points and attack.name not in TREES]
    wrong += [f"the grader's fault: {fault.strip().splitlines()[-1]}" for fault in result.faults]
    (report,) = render(out / attack.name, formats=("html",), audience="student")
    words = report.read_text(encoding="utf-8")
    wrong += [f"leaked {secret!r}" for secret in secrets if secret in words]
    return Seen(attack, told, tuple(wrong))


def disturbed(alone: Graded, among: Graded) -> list[str]:
    """The honest hand-ins whose results differ between a class of their own and one with the attacks."""
    both = alone.results.keys() & among.results.keys()
    names = [name for name in sorted(both) if verdicts(alone.results[name]) != verdicts(among.results[name])]
    names += [f"{name}: {problem}" for name, problem in among.problems.items() if name in alone.results]
    names += [f"{name}: {problem}" for name, problem in alone.problems.items()]
    names += [f"{name}: the grader's own fault" for name, result in alone.results.items() if result.faults]
    return names


def run(attacks: Sequence[Attack], place: Path, machine: Machine, jobs: int) -> tuple[list[Seen], list[str]]:
    """Grades attacks in classes; ``place`` is a folder to work in, ``jobs`` how many classes are graded at a time.

    Returns:
        What came of each, and the honest hand-ins that were disturbed.
    """
    seen: list[Seen] = []
    harmed: list[str] = []
    groups = {group: [attack for attack in attacks if attack.group == group] for group in _groups(attacks)}
    with ThreadPoolExecutor(jobs) as pool:
        classes = {}
        for number, (group, some) in enumerate(groups.items()):
            for name, members in (("among", some), ("alone", [])):
                folder, stub, theme = place / f"{number} {name}", some[0].stub, some[0].theme
                lay_out(folder, machine.kit, members, stub, theme)
                out = place / f"{number} {name} out"
                classes[group, name] = pool.submit(partial(grade, machine, folder, out, stub, theme)), out
        for group, some in groups.items():
            (among, out), (alone, _) = classes[group, "among"], classes[group, "alone"]
            graded = among.result()
            harmed += disturbed(alone.result(), graded)
            if TWIN not in graded.results:
                raise ChildProcessError(f"{group}: the twin has no result: {graded.problems[TWIN]}\n{graded.output}")
            twin = graded.results[TWIN]
            seen += [look(attack, graded, out, twin, machine.secrets) for attack in some]
    return seen, harmed


def _groups(attacks: Sequence[Attack]) -> Iterator[str]:
    """The groups of these attacks, each once, those that take longest first."""
    groups = dict.fromkeys(attack.group for attack in attacks)
    yield from sorted(groups, key=lambda group: -sum(attack.group == group for attack in attacks))


def show(seen: Sequence[Seen], harmed: Sequence[str]) -> bool:
    """Prints the table; returns whether all is as expected."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    table = Table("", "attack", "expected", "seen", box=None, padding=(0, 1))
    for row in seen:
        mark = "[green]ok[/]" if row.held else "[bold red]DIFFERS[/]"
        told = "; ".join((*row.wrong, row.told))[:110]
        table.add_row(mark, escape(plain(row.attack.name)), escape(row.attack.expected), escape(plain(told)))
    console.print(table)
    differ = sum(not row.held for row in seen)
    console.print(
        f"{len(seen) - differ} of {len(seen)} as expected; honest hand-ins disturbed: {list(harmed) or 'none'}"
    )
    return not differ and not harmed


def grade_class(arguments: Sequence[str]) -> int:
    """The command line of the copy; ``arguments`` begin with the one experiment that is run, or nothing.

    With an experiment, nothing is judged beside it but the criterion that it needs.
    """
    from autograder import cli
    from autograder.assignment import Line
    from autograder.grading import Options
    from autograder.judge.contestant import Contestants, Isolation
    from autograder.judge.zygote import Zygote

    admits, experiment = Options.admits, arguments[0]
    needed = {line.needs for line in load().lines if experiment and line.experiment == experiment}

    def admitted(options: Options, line: Line) -> bool:
        return admits(options, line) and (line.experiment == experiment or line.id in needed)

    Options.admits = admitted  # type: ignore[assignment, method-assign]
    begin = Contestants.__init__
    known: list[Zygote] = []

    def sharing(self: Contestants, isolation: Isolation, zygote: Zygote | None = None) -> None:
        """Has all contestants forked by the first one's parent."""
        known.extend([zygote] if zygote else [])
        begin(self, isolation, zygote=known[0])

    Contestants.__init__ = sharing  # type: ignore[assignment, method-assign]
    return cli.grade_main(arguments[1:])


def as_user(user: int, place: Path, work: Callable[[], int]) -> int:
    """Does ``work`` in a process of another user, who gets ``place``. Returns what it returns, or `NOT_TO_BE_HAD`."""
    subprocess.run(["chown", "-R", f"{user}:{user}", str(place)], check=True)
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        open_to_others(Path(sys.base_prefix), Path(sys.prefix).resolve(), ROOT)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        os.environ |= {"HOME": str(place), "TMPDIR": str(place)}
        os.chdir(place)
        try:
            subprocess.run([sys.executable, "-c", "import torch"], cwd=ROOT, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            print(f"user {user} cannot read Python in {sys.base_prefix}, torch in {sys.prefix}, or {ROOT}")
            code = NOT_TO_BE_HAD
        else:
            code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def open_to_others(*needed: Path) -> None:
    """Lets any user read folders that lie in one that only its owner may enter, such as a Python in root's home.

    For this process and its children alone: they see an empty folder in the closed one's place, and in it what is
    needed. Where mounts are forbidden nothing changes.
    """
    closed: dict[Path, Path] = {}
    for path in needed:
        for above in reversed(path.parents):
            if not above.stat().st_mode & stat.S_IXOTH:
                closed[path] = above
                break
    if not closed:
        return
    with suppress(OSError):
        kernel.call("unshare", namespaces.NEW_MOUNT)
        kernel.call("mount", b"none", b"/", None, namespaces.MS_REC | namespaces.MS_PRIVATE, None)
        held = {path: os.open(path, os.O_PATH) for path in closed}
        for folder in set(closed.values()):
            kernel.call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"mode=755")
        for path, descriptor in held.items():
            path.mkdir(parents=True, exist_ok=True)
            source, flags = f"/proc/self/fd/{descriptor}".encode(), namespaces.MS_BIND | namespaces.MS_REC
            kernel.call("mount", source, os.fsencode(path), None, flags, None)


NOT_TO_BE_HAD = 3
"""Exit code where this machine cannot do what was asked for."""


def main() -> int:
    """Grades the corpus and prints the table; 0 if all is as expected."""
    parser = argparse.ArgumentParser(description="Grades the corpus of hostile and broken hand-ins.")
    parser.add_argument("--without", action="append", choices=sorted(LACKS), default=[], help="what to do without")
    parser.add_argument("--isolation", choices=("full", "none"), default="full")
    themes = sorted({attack.theme for attack in corpus()})
    parser.add_argument("--theme", action="append", choices=themes, default=[], help="attacks of this theme alone")
    parser.add_argument("--only", default="", help="attacks whose names contain this")
    parser.add_argument("--user", type=int, default=0, metavar="NUMBER", help="grade as this user (root only)")
    parser.add_argument("--jobs", type=int, default=2, help="classes to grade at a time")
    parser.add_argument("grade", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.grade:
        if arguments.without:
            seccomp.install([rule for name in arguments.without for rule in LACKS[name]])
        return grade_class(arguments.grade[1:])
    if arguments.user and os.geteuid() != 0:
        parser.error("--user: only root can become somebody else")
    chosen = [attack for attack in corpus() if arguments.only in attack.name]
    chosen = [attack for attack in chosen if not arguments.theme or attack.theme in arguments.theme]
    with scratch() as place:
        machine = Machine(copy_of_the_kit(place / "kit"), tuple(arguments.without), arguments.isolation)

        def work() -> int:
            return 0 if show(*run(chosen, place / "classes", machine, arguments.jobs)) else 1

        return as_user(arguments.user, place, work) if arguments.user else work()


if __name__ == "__main__":
    sys.exit(main())
