"""``python -m autograder report FOLDER``: renders a stored result, or the report on a class, again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from autograder.report.language import LANGUAGES
from autograder.report.rendering import FORMATS, ReportError, render, render_class


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> argparse.ArgumentParser:
    """Adds the command ``report`` and returns its parser, whose default ``run`` is `main`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="render the report of a stored result, or of a class, again",
        description="Writes report.html and a PDF per language beside the results.json of FOLDER; where FOLDER holds "
        "a class, with a results.json in each of its folders, class.html in it.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the folder with results.json, or of a class")
    parser.add_argument("--lang", metavar="LANGS", default=",".join(LANGUAGES), help="default: %(default)s")
    parser.add_argument("--formats", metavar="FORMATS", default=",".join(FORMATS), help="default: %(default)s")
    parser.add_argument(
        "--audience",
        choices=("instructor", "student"),
        default="instructor",
        help="a student's report leaves out model answers, the seed of the hidden inputs, the isolation and the "
        "grader's faults",
    )
    parser.set_defaults(run=main)
    return parser


def main(args: argparse.Namespace) -> int:
    """Renders and prints the files written; 2 for the caller's mistake, 3 where the PDF's libraries are missing."""
    folder: Path = args.folder
    try:
        if folder.is_dir() and not (folder / "results.json").exists():
            if args.audience == "student":
                return _fail("a class report names everybody: it is for instructors alone", 2)
            paths = [render_class(folder, languages=_names(args.lang))]
        else:
            paths = render(folder, languages=_names(args.lang), formats=_names(args.formats), audience=args.audience)
    except ReportError as error:
        return _fail(str(error), 3)
    except (FileNotFoundError, NotADirectoryError):
        return _fail(f"no results.json in {args.folder}; grade a submission with --out {args.folder} first", 2)
    except PermissionError as error:
        return _fail(f"{error.filename}: no permission; choose a folder of your own", 2)
    except ValueError as error:
        return _fail(_one_line(error, args.folder), 2)
    for path in paths:
        print(path)
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _one_line(error: ValueError, folder: Path) -> str:
    """pydantic's errors run over many lines; the first field says enough."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or "the file"
    return f"{folder}/results.json is not a result of this kit: {where}: {first['msg']}"


def _fail(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code
