"""The release: what students receive, written from the course's source (``assignment/hw1`` from ``solutions/hw1``).

A release is the source folder without what is the course's alone, and with

- every region between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` replaced by a stub, in Python files and in
  notebooks, whose outputs are cleared too (nbgrader's marks and words, so that its own commands agree);
- ``tests/rubric.json``, what each check counts for and what is to be handed in;
- gettext catalogues compiled, so that the student's ``pytest`` needs no translator's tools;
- ``tests/expected.npz``, the values that the reference gives for the checks' public inputs.

The same source gives the same bytes, whoever releases it and when.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.translations import compiled

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "solutions"
RELEASES = ROOT / "assignment"

CACHES = ("__pycache__", "*.pyc", ".pytest_cache", ".ipynb_checkpoints", "results")
"""Left behind by running things in a folder: no part of a release, and no difference from one."""

KEPT_BACK = (*CACHES, "grading", "corpus", ".*", "*.tmp", "*.pot", "*.mo", "expected.npz")
"""Not taken over from a source: what is the course's alone, and what is made anew."""

STORED = Path("tests", "expected.npz")

PUBLIC_RUBRIC = Path("tests", "rubric.json")
"""What students' own checks and packing know of the rubric: points, stubs, notebooks, provided modules; no seed."""

TOP_LEVEL_STUB = ["# YOUR CODE HERE (classes or functions of your own, if you want any)"]
CLASS_STUB = ["# YOUR CODE HERE", "pass"]
FUNCTION_STUB = ["# YOUR CODE HERE", 'raise NotImplementedError("{name}: not written yet")']
CELL_STUB = ["# YOUR CODE HERE", "raise NotImplementedError()"]
TEXT_STUB = ["YOUR ANSWER HERE"]

_MARK = re.compile(r"\s*### (BEGIN|END) SOLUTION\s*")
_ALMOST_A_MARK = re.compile(r"\b(BEGIN|END)[\s_-]*SOLUTIONS?\b", re.IGNORECASE)


class ReleaseError(Exception):
    """The source cannot be released; one line that says where and why."""


@dataclass(frozen=True)
class Region:
    """A solution between its marks: the numbers of their lines, counted from 1."""

    begin: int
    end: int


def solution_regions(lines: list[str], name: str) -> list[Region]:
    """The solution regions of a text, in order.

    Args:
        lines: the text's lines.
        name: what to call the text in an error.

    Raises:
        ReleaseError: the marks are nested or unbalanced, or a line has something like a mark but is none.
    """
    regions = []
    begin = None
    for number, line in enumerate(lines, 1):
        if not _ALMOST_A_MARK.search(line):
            continue
        mark = _MARK.fullmatch(line)
        if mark is None:
            raise ReleaseError(f"{name}:{number}: write the mark as ### BEGIN SOLUTION, alone on its line: {line!r}")
        if mark[1] == "BEGIN" and begin is not None:
            raise ReleaseError(f"{name}:{number}: a solution begins before the one of line {begin} has ended")
        if mark[1] == "END" and begin is None:
            raise ReleaseError(f"{name}:{number}: a solution ends that never began")
        if begin is not None:
            regions.append(Region(begin, number))
        begin = number if mark[1] == "BEGIN" else None
    if begin is not None:
        raise ReleaseError(f"{name}:{begin}: a solution begins and never ends: add ### END SOLUTION")
    return regions


def clear_code(code: str, name: str, *, notebook: bool = False) -> str:
    """Python code with a stub in place of every solution.

    In a function or method the stub raises NotImplementedError, naming the function; in a class's body it does
    nothing; at top level it is a comment in a file, and raises in a notebook's cell, as nbgrader's does.

    Raises:
        ReleaseError: the marks are wrong, hold no whole statements of one block, or the code does not parse.
    """
    lines = code.split("\n")
    regions = solution_regions(lines, name)
    if not regions:
        return code
    tree = _parse(code, name, notebook)
    for region in reversed(regions):
        lines[region.begin - 1 : region.end] = _stub(
            tree, lines, region, name, CELL_STUB if notebook else TOP_LEVEL_STUB
        )
    cleared = "\n".join(lines)
    _parse(cleared, f"{name}, once cleared", notebook)
    return cleared


def _parse(code: str, name: str, notebook: bool) -> ast.Module:
    if notebook:  # IPython's own lines, %magic and !shell, are not Python
        code = re.sub(r"^([ \t]*)[%!].*", r"\1pass", code, flags=re.MULTILINE)
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise ReleaseError(f"{name}:{error.lineno}: {error.msg}") from error


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _stub(tree: ast.Module, lines: list[str], region: Region, name: str, top_level: list[str]) -> list[str]:
    """The lines that take a region's place, indented as its first statement is."""
    found = next(_statements(tree, region), None)
    if found is None:
        raise ReleaseError(f"{name}:{region.begin}: there is no whole statement between the marks")
    first, scopes = found
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt) and region.begin < statement.lineno < region.end:
            last = statement.end_lineno or statement.lineno
            if last > region.end or statement.col_offset < first.col_offset:
                raise ReleaseError(f"{name}:{region.begin}: the marks must hold whole statements of one block")
    if not scopes:
        stub = top_level
    elif isinstance(scopes[-1], ast.ClassDef):
        stub = CLASS_STUB
    else:
        stub = [line.format(name=".".join(scope.name for scope in scopes)) for line in FUNCTION_STUB]
    return [lines[first.lineno - 1][: first.col_offset] + line for line in stub]


_Scopes = list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]


def _statements(node: ast.AST, region: Region, scopes: _Scopes | None = None) -> Iterator[tuple[ast.stmt, _Scopes]]:
    """The outermost statements within a region, in order, each with the functions and classes around it."""
    scopes = scopes or []
    for child in ast.iter_child_nodes(node):
        inside = isinstance(child, ast.stmt) and region.begin < child.lineno and (child.end_lineno or 0) < region.end
        if isinstance(child, ast.stmt) and inside:
            yield child, scopes
        else:
            yield from _statements(child, region, [*scopes, child] if isinstance(child, _SCOPES) else scopes)


def clear_notebook(text: str, name: str) -> str:
    """A notebook (.ipynb, JSON) with stubs in place of solutions, without outputs, and with nbgrader's marks.

    A cell that nbgrader's metadata calls a solution, but that has no marks, is a solution as a whole. Hidden tests
    and marking schemes are taken out; locked cells are locked; graded ones get the checksum by which nbgrader knows
    an answer that was left as it was.

    Raises:
        ReleaseError: as for `clear_code`, or the text is no notebook, or nbgrader refuses it.
    """
    try:
        notebook = json.loads(text)
        cells: list[dict[str, Any]] = notebook["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{name}: is no notebook of format 4 ({error})") from error
    for number, cell in enumerate(cells, 1):
        is_code = cell["cell_type"] == "code"
        if is_code:
            cell.update(outputs=[], execution_count=None)
        where = f"{name}, cell {number}"
        source = "".join(cell["source"])
        lines = source.split("\n")
        regions = solution_regions(lines, where)
        if not regions and cell["metadata"].get("nbgrader", {}).get("solution"):
            source = "\n".join(CELL_STUB if is_code else TEXT_STUB)
        elif is_code:
            source = clear_code(source, where, notebook=True)
        else:
            for region in reversed(regions):
                lines[region.begin - 1 : region.end] = TEXT_STUB
            source = "\n".join(lines)
        cell["source"] = source
    return notebook_text(_as_nbgrader_releases(notebook, name))


def notebook_text(notebook: dict[str, Any]) -> str:
    """A notebook as the text that it is stored as: the same for the same content."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _as_nbgrader_releases(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    """What nbgrader's own release does to a notebook once its solutions are cleared."""
    import nbformat
    from nbgrader import preprocessors as steps  # seconds, and only notebooks need it

    read = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    try:
        for step in (steps.LockCells, steps.ClearOutput, steps.ClearHiddenTests, steps.ClearMarkScheme):
            read, _ = step().preprocess(read, {})
        read, _ = steps.ComputeChecksums().preprocess(read, {})
        nbformat.validate(read)
    except (RuntimeError, nbformat.ValidationError) as error:
        raise ReleaseError(f"{name}: {' '.join(str(error).split())}") from error
    for cell in read.cells:
        cell.source = cell.source.splitlines(keepends=True)
    return dict(read)


def record(folder: Path, path: Path) -> None:
    """Runs the checks in ``folder/tests`` on the folder's own code and has them store in ``path`` what it gives.

    Raises:
        ReleaseError: a check fails on the reference itself.
    """
    command = [sys.executable, "-m", "pytest", str(folder / "tests"), "--record", str(path), "-q"]
    # Options of the caller's own pytest are not meant for this one; one thread sums in one order.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not path.is_file():
        said = (done.stdout.strip() or done.stderr.strip() or "pytest said nothing").splitlines()[-1]
        raise ReleaseError(f"the checks do not pass on the reference: {said.strip('= ')}; run pytest in the source")


def public_rubric(source: Path) -> bytes:
    """`PUBLIC_RUBRIC` of an assignment as JSON; the rest of its rubric, such as the seed, is the course's alone.

    Raises:
        ReleaseError: the rubric cannot be read, or lacks something.
    """
    path = source / "grading" / "rubric.toml"
    try:
        rubric = tomllib.loads(path.read_text("utf-8"))
        public = {
            "criteria": {
                line["id"]: {key: line[key] for key in ("stub", "points", "bonus") if key in line}
                for line in rubric["criteria"]
                if line.get("kind", "unit") == "unit"
            },
            "stubs": rubric["stubs"],
            "notebooks": sorted(path.name for path in source.glob("*.ipynb")),
            "provided": sorted({"__init__.py", "pack.py", *(f"{name}.py" for name in rubric["provided_modules"])}),
        }
    except KeyError as missing:
        raise ReleaseError(
            f"{path}: no {missing.args[0]} in it; it needs provided_modules, stubs, and criteria with an id each"
        ) from missing
    except (ValueError, TypeError, AttributeError) as error:  # TOML's and UTF-8's errors are ValueErrors
        raise ReleaseError(
            f"{path}: is no rubric ({' '.join(str(error).split())}); see that of another assignment"
        ) from error
    return (json.dumps(public, indent=1, ensure_ascii=False) + "\n").encode()


def files(folder: Path, left_out: tuple[str, ...]) -> list[Path]:
    """The files below a folder, relative to it and sorted, but those with a part that one of the patterns fits."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(p for p in found if not any(fnmatch.fnmatch(part, word) for part in p.parts for word in left_out))


def build(source: Path, folder: Path) -> None:
    """Writes the release of ``source`` into ``folder``, which must not exist yet.

    Raises:
        ReleaseError: the source cannot be released.
    """
    if not source.is_dir():
        raise ReleaseError(f"{source}: there is no such folder")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, source.name)  # the checks run here, so that nothing is written into the source
        for path in files(source, KEPT_BACK):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, copy / path)
            into = folder / path
            into.parent.mkdir(parents=True, exist_ok=True)
            name = str(Path(source.name, path))
            match path.suffix:
                case ".py":
                    into.write_bytes(clear_code((source / path).read_text("utf-8"), name).encode())
                case ".ipynb":
                    into.write_bytes(clear_notebook((source / path).read_text("utf-8"), name).encode())
                case ".po":
                    into.with_suffix(".mo").write_bytes(compiled(source / path))
                case _:
                    shutil.copyfile(source / path, into)
        if (copy / "tests").is_dir() and (source / "grading" / "rubric.toml").is_file():
            (folder / PUBLIC_RUBRIC).write_bytes(public_rubric(source))
        if (copy / "tests").is_dir():
            record(copy, folder / STORED)


def differences(built: Path, target: Path) -> list[str]:
    """What in ``target`` is not as in ``built``: one ``path: missing``, ``changed`` or ``unknown`` for each file."""
    wanted, there = set(files(built, CACHES)), set(files(target, CACHES))
    said = dict.fromkeys(wanted - there, "missing") | dict.fromkeys(there - wanted, "unknown")
    said |= {path: "changed" for path in wanted & there if not _agree(built / path, target / path)}
    return [f"{path.as_posix()}: {said[path]}" for path in sorted(said)]


def _agree(one: Path, other: Path) -> bool:
    """Whether two files are the same. Stored numbers may differ by rounding: processors sum in different orders."""
    if one.read_bytes() == other.read_bytes():
        return True
    if one.suffix != ".npz":
        return False
    try:
        with np.load(one, allow_pickle=False) as a, np.load(other, allow_pickle=False) as b:
            return set(a.files) == set(b.files) and all(_agree_but_rounding(a[key], b[key]) for key in a.files)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):  # no npz, or one with pickles in it
        return False


def _agree_but_rounding(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool(np.allclose(a, b, rtol=0, atol=1e-4 * float(np.abs(a).max(initial=0))))


def release(source: Path = SOURCES / "hw1", target: Path = RELEASES / "hw1") -> Path:
    """Writes the release of ``source`` to ``target``, in place of what is there; returns ``target``.

    It is built beside the target and swapped with it when complete. Stored numbers that are there already stay as
    they are if the new ones differ from them by rounding alone.

    Raises:
        ReleaseError: the source cannot be released; the target is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        build(source, new)
        stored = target / STORED
        if stored.is_file() and (new / STORED).is_file() and _agree(new / STORED, stored):
            shutil.copyfile(stored, new / STORED)
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except BaseException:
            if old.exists():
                old.rename(target)
            raise
    return target


def stale(source: Path = SOURCES / "hw1", target: Path = RELEASES / "hw1") -> list[str]:
    """How ``target`` differs from what `release` would write; see `differences`."""
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch, "new")
        build(source, built)
        return differences(built, target)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Adds ``release`` to the package's command."""
    parser = subparsers.add_parser(
        "release",
        help="write what students receive",
        description="Write assignment/ from solutions/: stubs for solutions, and the checks with stored numbers.",
    )
    parser.add_argument("assignments", nargs="*", metavar="NAME", help="which assignments (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if assignment/ is out of date")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Releases or checks what ``args`` name; returns 0, 1 (`--check` found something stale) or 2 (an error)."""
    status = 0
    try:
        for name in args.assignments or sorted(
            p.name for p in SOURCES.iterdir() if (p / "grading" / "rubric.toml").is_file()
        ):
            if not args.check:
                written = release(SOURCES / name, RELEASES / name)
                print(f"{written.relative_to(ROOT)}: {len(files(written, ()))} files")
                continue
            for difference in stale(SOURCES / name, RELEASES / name):
                status = 1
                print(f"{(RELEASES / name).relative_to(ROOT)}/{difference}; cure: make release", file=sys.stderr)
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 2
    return status
