"""Packs the hand-in: ``python pack.py`` checks that nothing is missing and writes ``hw1-<your number>.zip``.

Packed are the files that you wrote (the stubs, ``student.toml``), the notebooks, and the figures of your runs
(``results/*.npz``). ``--anyway`` packs what is not finished yet; what is too large or cannot be read stays refused.
"""

from __future__ import annotations

import argparse
import ast
import gettext
import json
import re
import sys
import tomllib
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
NAME = "hw1"
RUBRIC = Path("tests", "rubric.json")
IDENTITY = "student.toml"
MAX_CODE_BYTES = 1 << 20
MAX_FILE_BYTES = 16 << 20
MAX_BYTES = 48 << 20
"""Of all files together; the grader takes archives of 64 MiB."""
UNWRITTEN = "# YOUR CODE HERE"
UNANSWERED = "YOUR ANSWER HERE"
PACKED, REFUSED = 0, 1


def N_(message: str) -> str:
    """Marks a message for the translators' catalogue and returns it as it is."""
    return message


MISSING = N_("{file} is missing; take it from the folder that was handed out, or from your last copy.")
NO_IDENTITY = N_("Your name and your student number are not in student.toml: write them between the quotes.")
BAD_IDENTITY = N_("student.toml cannot be read ({why}): change nothing in it but what is between the quotes.")
NOT_PYTHON = N_("{file} is no Python, so no check can read it: line {line}: {why}")
NOT_WRITTEN = N_("{file}: {stub} is not written yet.")
NOT_NOTEBOOK = N_("{file} cannot be read as a notebook: open it in Jupyter and save it again.")
NO_ANSWER = N_("{file}: the question {question} is not answered yet.")
TOO_LARGE = N_(
    "{file} has {size} MiB; at most {most} MiB are taken. Hand in code and figures, no data and no weights."
)
TOO_MUCH = N_(
    "All files together have {size} MiB; at most {most} MiB are taken. Clear the largest outputs of notebooks."
)
PACKED_AS = N_("Packed: {file}, {count} files, {size} KiB. Hand in this one file.")
NOT_PACKED = N_("Not packed, for these reasons:")
ANYWAY = N_("To hand in what is not finished, with its points lost: python pack.py --anyway")


@dataclass(frozen=True)
class Reason:
    """Why nothing is packed; what is only ``unfinished`` may be packed all the same."""

    message: str
    params: dict[str, Any] = field(default_factory=dict)
    unfinished: bool = False


def _mebibytes(size: int) -> str:
    return f"{size / (1 << 20):.1f}"


def _code(folder: Path, name: str, optional: set[str]) -> Iterator[Reason]:
    """What keeps a stub's file from being handed in. ``optional``: stubs that may stay unwritten."""
    try:
        tree = ast.parse((folder / name).read_bytes(), name)
    except SyntaxError as problem:
        yield Reason(NOT_PYTHON, {"file": name, "line": problem.lineno or 0, "why": problem.msg}, unfinished=True)
        return
    except ValueError as problem:
        yield Reason(NOT_PYTHON, {"file": name, "line": 0, "why": str(problem)}, unfinished=True)
        return
    for outer in tree.body:
        stub = getattr(outer, "name", "?")
        if stub not in optional and any(_is_stub(node) for node in ast.walk(outer)):
            yield Reason(NOT_WRITTEN, {"file": name, "stub": stub}, unfinished=True)


def _is_stub(node: ast.AST) -> bool:
    """Whether it is the line that the handed out stubs raise NotImplementedError in."""
    if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
        return False
    return "not written yet" in ast.unparse(node.exc) and "NotImplementedError" in ast.unparse(node.exc)


def _notebook(folder: Path, name: str) -> Iterator[Reason]:
    """What keeps a notebook from being handed in."""
    try:
        cells = json.loads((folder / name).read_text(encoding="utf-8"))["cells"]
        answers = {
            cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
            for cell in cells
            if cell["metadata"].get("nbgrader", {}).get("solution")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        yield Reason(NOT_NOTEBOOK, {"file": name})
        return
    for question, answer in answers.items():
        if answer.strip() in ("", UNANSWERED, UNWRITTEN):
            yield Reason(NO_ANSWER, {"file": name, "question": question}, unfinished=True)


def _identity(folder: Path) -> tuple[str, list[Reason]]:
    """The student's number in Latin digits, and what is wrong with who it says they are."""
    try:
        entries = tomllib.loads((folder / IDENTITY).read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:
        return "", [Reason(BAD_IDENTITY, {"why": str(problem)})]
    name, number = (str(entries.get(key, "")).strip() for key in ("name", "number"))
    digits = "".join(str(unicodedata.digit(letter)) if letter.isdecimal() else letter for letter in number)
    return digits, [] if name and number else [Reason(NO_IDENTITY)]


def look(folder: Path) -> tuple[str, list[str], list[Reason]]:
    """What a folder's hand-in consists of.

    Returns:
        The student's number; the files to pack, relative to the folder; why they should not be packed.
    """
    try:
        rubric = json.loads((folder / RUBRIC).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "", [], [Reason(MISSING, {"file": RUBRIC.as_posix()})]
    optional = set(rubric["stubs"]) - {line["stub"] for line in rubric["criteria"].values() if not line.get("bonus")}
    code = sorted({f"{module}.py" for module in rubric["stubs"].values()})
    names, number = [IDENTITY, *code, *rubric["notebooks"]], ""
    reasons = [Reason(MISSING, {"file": name}) for name in names if not (folder / name).is_file()]
    names = [name for name in names if (folder / name).is_file()]
    # Modules and notebooks of the student's own may be needed by the others; what the grader provides, it has itself.
    own = {path.name for pattern in ("*.py", "*.ipynb") for path in folder.glob(pattern)} - set(rubric["provided"])
    names += sorted(own - set(names))
    names += sorted(path.relative_to(folder).as_posix() for path in folder.glob("results/*.npz"))
    for name in names:
        size, most = (folder / name).stat().st_size, MAX_CODE_BYTES if name.endswith(".py") else MAX_FILE_BYTES
        if size > most:
            reasons.append(Reason(TOO_LARGE, {"file": name, "size": _mebibytes(size), "most": _mebibytes(most)}))
        elif name == IDENTITY:
            number, wrong = _identity(folder)
            reasons += wrong
        elif name.endswith(".py"):
            reasons += _code(folder, name, optional)
        elif name.endswith(".ipynb"):
            reasons += _notebook(folder, name)
    size = sum((folder / name).stat().st_size for name in names)
    if size > MAX_BYTES:
        reasons.append(Reason(TOO_MUCH, {"size": _mebibytes(size), "most": _mebibytes(MAX_BYTES)}))
    return number, names, reasons


def pack(folder: Path, names: Sequence[str], path: Path) -> None:
    """Writes the files ``names`` of a folder into the zip ``path``, in a folder that is called `NAME`."""
    unfinished = path.with_name(path.name + ".tmp")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name in names:
            archive.write(folder / name, f"{NAME}/{name}")
    unfinished.replace(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Packs, or says why not; returns 0 or 1."""
    parser = argparse.ArgumentParser(prog="pack.py", description="Packs your hand-in into one zip file.")
    parser.add_argument("--anyway", action="store_true", help="pack what is not finished yet")
    parser.add_argument("--lang", choices=("en", "fa"), help="language of the messages (both)")
    parser.add_argument("--out", type=Path, help="the zip to write (hw1-<your number>.zip in this folder)")
    arguments = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that has no Persian
    languages = [arguments.lang] if arguments.lang else ["en", "fa"]
    catalogues = [gettext.translation(NAME, FOLDER / "locale", [language], fallback=True) for language in languages]

    def say(message: str, mark: str = "", **params: object) -> None:
        for text in dict.fromkeys(catalogue.gettext(message).format(**params) for catalogue in catalogues):
            print(mark + text)

    number, names, reasons = look(FOLDER)
    held = [reason for reason in reasons if not (reason.unfinished and arguments.anyway)]
    if held:
        say(NOT_PACKED)
        for reason in held:
            say(reason.message, "- ", **reason.params)
        if all(reason.unfinished for reason in held):
            say(ANYWAY)
        return REFUSED
    path = arguments.out or FOLDER / f"{NAME}-{re.sub('[^A-Za-z0-9_-]', '-', number)}.zip"
    pack(FOLDER, names, path)
    say(PACKED_AS, file=path, count=len(names), size=-(-path.stat().st_size >> 10))
    return PACKED


if __name__ == "__main__":
    sys.exit(main())
