"""From a folder of results to documents in the same folder."""

from __future__ import annotations

import ctypes.util
import functools
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.report import arrays, cohort, content, pages, thumbnails
from autograder.report.content import Audience
from autograder.report.faces import print_faces
from autograder.report.language import LANGUAGES, Language, language
from autograder.results import CLASS_REPORT, read_result, write_atomically

if TYPE_CHECKING:
    from autograder.report.typesetting import Typesetter

FORMATS = ("html", "pdf")
"""The formats there are."""


_LIBRARIES = (
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
)
"""What WeasyPrint needs, by the names that the libraries have on Linux."""


class ReportError(RuntimeError):
    """A document could not be made; the message is one line with the cure."""


def render(
    folder: Path,
    *,
    languages: Sequence[str] = LANGUAGES,
    formats: Sequence[str] = FORMATS,
    audience: Audience = "instructor",
) -> list[Path]:
    """Writes the documents of the result in ``folder`` beside it, each atomically.

    ``report.html`` holds all ``languages``, the first one shown first; ``report.<language>.pdf`` one each. For the
    audience "student" the names begin with ``report-student``, and what only the instructor may see is absent.

    Returns:
        The files written, HTML first.

    Raises:
        FileNotFoundError: ``folder`` has no ``results.json``.
        ValueError: that file is no Result, or a language, format or audience does not exist.
        ReportError: the PDF's libraries are missing; the HTML is written by then.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise ValueError(f"no format '{unknown[0]}': there are {' and '.join(FORMATS)}")
    if audience not in ("instructor", "student"):
        raise ValueError(f"no audience '{audience}': there are instructor and student")
    with _uncollected():
        return _render(folder, _tongues(languages), formats, audience)


def _render(folder: Path, tongues: list[Language], formats: Sequence[str], audience: Audience) -> list[Path]:
    result = read_result(folder)
    stored = [arrays.read(folder, experiment) for experiment in result.experiments]
    sheets = pages.illustrate([content.build(result, stored, tongue, audience) for tongue in tongues])
    stem = "report" if audience == "instructor" else "report-student"
    written = []
    if "html" in formats:
        written.append(folder / f"{stem}.html")
        collect = functools.partial(thumbnails.collect, [each.embedding for each in stored])
        write_atomically(written[-1], pages.screen_document(sheets, collect).encode())
    if "pdf" in formats:
        with _typesetter() as typesetter:
            for sheet in sheets:
                path = folder / f"{stem}.{sheet.page.language.code}.pdf"
                write_atomically(path, typesetter.pdf(*pages.print_document(sheet)))
                written.append(path)
    return written


def render_class(folder: Path, *, languages: Sequence[str] = LANGUAGES) -> Path:
    """Writes ``class.html`` on the results that lie in the folders of ``folder``, atomically, and returns its path.

    It is for instructors: it names everybody. It links to the reports that lie beside the results.

    Raises:
        FileNotFoundError: ``folder`` has neither results nor a ``summary.csv``.
        ValueError: a language does not exist, or none is given.
    """
    tongues = _tongues(languages)
    path = folder / CLASS_REPORT
    write_atomically(path, pages.class_document(cohort.read(folder), tongues).encode())
    return path


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection.

    Setting a document makes hundreds of thousands of objects that live until its end; looking through them again and
    again, for nothing, takes a tenth of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _tongues(languages: Sequence[str]) -> list[Language]:
    if not languages:
        raise ValueError(f"no language given: there are {' and '.join(LANGUAGES)}")
    return [language(code) for code in dict.fromkeys(languages)]


@contextmanager
def _loader_alone() -> Iterator[None]:
    """Has libraries found by the loader alone, where it finds Pango's.

    WeasyPrint tries the names that they have on every system, and for each that the loader does not know ctypes asks
    ldconfig, the compiler and the linker: fifty processes, which take as long as a page of the report.
    """
    search = ctypes.util.find_library
    with suppress(OSError):
        for name in _LIBRARIES:
            ctypes.CDLL(name)
        ctypes.util.find_library = lambda name: None
    try:
        yield
    finally:
        ctypes.util.find_library = search


def _typesetter() -> Typesetter:
    try:
        with _loader_alone():
            from autograder.report.typesetting import Typesetter
    except (ImportError, OSError) as error:  # OSError: Pango's shared libraries are not on this system
        cause = str(error).split("\n", 1)[0]
        raise ReportError(
            f"no PDF was made: WeasyPrint cannot be loaded ({cause}). Install Pango, as with "
            "'apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0' or 'brew install pango', "
            "or ask for --formats html"
        ) from error
    rules, files = print_faces()
    return Typesetter(rules + pages.print_style(), files)
