"""Pages of HTML from the templates: one document with every language for a browser, one per language for print."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder.report import figures
from autograder.report.arrays import Arrays, Integers
from autograder.report.bidi import clean, verbatim
from autograder.report.cohort import Cohort, problem_of
from autograder.report.content import MARKS, STATUSES, Chapter, Page, class_names, group_name
from autograder.report.faces import font_faces
from autograder.report.language import TEMPLATES, Language
from autograder.report.thumbnails import Atlas

_MOST = 5_900_000
"""Bytes that a document on one hand-in may take; beyond 6 MB, mail and course systems begin to refuse it."""
_BESIDE = 1_000_000
"""Bytes in it beside the articles and the images of the maps: faces, style sheets, scripts, numbers of the dots."""
_PRINT_INK, _PRINT_PAPER = "#1d2530", "#ffffff"


@dataclass(frozen=True)
class Drawing:
    """A drawing as SVG with the text that stands for it."""

    svg: str
    alt: str

    @property
    def inline(self) -> Markup:
        """An ``<svg>`` element in the colours of the page around it."""
        label = Markup('<svg role="img" aria-label="{}" ').format(self.alt)
        return Markup(self.svg.replace("<svg ", label, 1))

    @property
    def printed(self) -> str:
        """The drawing in the colours of print."""
        return figures.printed(self.svg, _PRINT_INK, _PRINT_PAPER)


@dataclass(frozen=True)
class Panel:
    """One group of an embedding."""

    group: int
    name: Markup
    images: int
    drawing: Drawing


@dataclass(frozen=True)
class Sample:
    """One image of a grid: the clean, the attacked and the difference image as PNG, and its classes by name."""

    clean: bytes
    adversarial: bytes
    difference: bytes
    true: Markup
    clean_pred: Markup
    adversarial_pred: Markup


@dataclass(frozen=True)
class Pictures:
    """The figures of one experiment in one language; None or empty where there are no data."""

    losses: Drawing | None = None
    accuracy: Drawing | None = None
    robustness: Drawing | None = None
    panels: list[Panel] = field(default_factory=list)
    names: list[Markup] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True)
class Sheet:
    """A page with its pictures, one per chapter, drawn once for every medium."""

    page: Page
    pictures: list[Pictures]

    @property
    def maps(self) -> bool:
        """Whether there is a map of features."""
        return any(each.panels for each in self.pictures)


@dataclass(frozen=True)
class _Wordless:
    """What the figures of an experiment share in every language: dots of its maps, and the rows of its grid."""

    clouds: dict[int, figures.Cloud]
    rows: list[list[bytes]]


def illustrate(pages: Sequence[Page]) -> list[Sheet]:
    """Draws the figures of the pages of one result, one page per language."""
    drawn = []
    for chapters in zip(*(page.chapters for page in pages), strict=True):
        wordless = _wordless(chapters[0].arrays)
        drawn.append([_draw(chapter, page.language, wordless) for page, chapter in zip(pages, chapters, strict=True)])
    return [Sheet(page, [pictures[number] for pictures in drawn]) for number, page in enumerate(pages)]


def _wordless(arrays: Arrays) -> _Wordless:
    embedding, grid = arrays.embedding, arrays.grid
    groups = [] if embedding is None else np.unique(embedding.group).tolist()
    rows = () if grid is None else (grid.clean, grid.adversarial, figures.difference(grid))
    return _Wordless(
        {group: figures.cloud(embedding, group) for group in groups if embedding is not None},
        [[figures.png(image) for image in row] for row in rows],
    )


def _draw(chapter: Chapter, language: Language, wordless: _Wordless) -> Pictures:
    arrays, names = chapter.arrays, class_names(chapter.experiment, language)
    title = chapter.title.striptags()

    def drawing(svg: str | None, alt: Markup) -> Drawing | None:
        return None if svg is None else Drawing(svg, str(alt.striptags()))

    _ = language.say
    curves, embedding, robustness = arrays.curves, arrays.embedding, arrays.robustness
    panels = []
    for group, cloud in wordless.clouds.items():
        name = group_name(group, chapter.experiment, language)
        alt = _("%(experiment)s, map of the features: %(group)s", experiment=title, group=name.striptags())
        svg = figures.draw_map(cloud, language)
        images = 0 if embedding is None else int((embedding.group == group).sum())
        panels.append(Panel(group, name, images, Drawing(svg, str(alt.striptags()))))
    return Pictures(
        losses=drawing(
            figures.draw_losses(curves, language) if curves else None,
            _("%(experiment)s: loss after each epoch", experiment=title),
        ),
        accuracy=drawing(
            figures.draw_validation_accuracy(curves, language) if curves else None,
            _("%(experiment)s: validation accuracy after each epoch", experiment=title),
        ),
        robustness=drawing(
            figures.draw_robustness(robustness, language) if robustness else None,
            _("%(experiment)s: accuracy over the strength of the attack", experiment=title),
        ),
        panels=panels,
        names=names,
        classes=[] if embedding is None else np.unique(embedding.label).tolist(),
        samples=_samples(arrays, wordless.rows, names, language),
    )


def screen_document(sheets: Sequence[Sheet], collect: Callable[[int], Atlas | None]) -> str:
    """One self-contained HTML document with an article per sheet, the first one shown.

    ``collect`` makes the picture with the images that its maps show under the pointer, of at most so many bytes.
    """
    languages = [sheet.page.language for sheet in sheets]
    articles = [_article(sheet, "screen", _embedded) for sheet in sheets]
    title = _title(sheets[0].page)
    if not sheets[0].maps:
        return _document(languages, articles, title)
    style = _read("maps.css")
    room = _MOST - _BESIDE - sum(len(article.encode()) for article in articles)
    atlas = collect(room * 3 // 4)  # base64 makes four bytes of three
    if atlas is not None:
        style += f'.thumbnail {{ background-image: url("{_uri("image/webp", atlas.webp)}"); }}'
    script = _read("vendor/d3-delaunay.min.js") + _read("maps.js")
    return _document(languages, articles, title, style, script, _dots(sheets[0].page, atlas))


def class_document(cohort: Cohort, languages: Sequence[Language]) -> str:
    """One self-contained HTML document on a class with an article per language, the first one shown."""
    articles = [_class_article(cohort, language) for language in languages]
    return _document(languages, articles, _class_title(cohort, languages[0]), _read("class.css"), _read("class.js"))


def _dots(page: Page, atlas: Atlas | None) -> dict[str, object]:
    """What the script of the maps knows of each dot, in the order in which each panel draws them."""
    maps: dict[str, dict[int, dict[str, list[int]]]] = {}
    for chapter in page.chapters:
        embedding = chapter.arrays.embedding
        cells = atlas.cells[chapter.number] if atlas is not None else None
        if embedding is None:
            continue
        panels = maps[chapter.anchor] = {}
        for group in np.unique(embedding.group).tolist():
            order = figures.drawn(embedding, group)
            panels[group] = _known(cells, embedding.predicted, order)
            if embedding.clean is not None and (embedding.clean[order] >= 0).all():
                before = _known(cells, embedding.predicted, embedding.clean[order])
                panels[group] |= {f"{name}_before": numbers for name, numbers in before.items()}
    return {"columns": 0 if atlas is None else atlas.columns, "maps": maps}


def _known(cells: Integers | None, predicted: Integers | None, order: Integers) -> dict[str, list[int]]:
    """The cell of each image in the picture of all, and what it is taken for; empty where that was not recorded."""
    return {
        "cells": [] if cells is None else cells[order].tolist(),
        "predicted": [] if predicted is None else predicted[order].tolist(),
    }


def _document(
    languages: Sequence[Language],
    articles: Sequence[str],
    title: str,
    style: str = "",
    script: str = "",
    data: dict[str, object] | None = None,
) -> str:
    """A document of articles, one per language, with a style sheet, a script and data of its own, if any."""
    style = _read("base.css") + _read("screen.css") + style
    script = _read("switch.js") + script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        _environment()
        .get_template("screen.html.j2")
        .render(
            languages=languages,
            articles=[Markup(article) for article in articles],
            title=title,
            switch=" / ".join(language.plain("Language") for language in languages),
            style=Markup(font_faces("".join(articles) + style) + style),
            script=Markup(script),
            digest=digest,
            data=data,
        )
    )


def print_document(sheet: Sheet) -> tuple[str, dict[str, str | bytes]]:
    """The HTML document that is made into the PDF of a language, and its pictures by the addresses in it.

    A picture is the text of an SVG drawing or a PNG file.
    """
    page = sheet.page
    pictures: dict[str, str | bytes] = {}

    def address(picture: Drawing | bytes) -> str:
        name = f"picture:{len(pictures)}"
        pictures[name] = picture.printed if isinstance(picture, Drawing) else picture
        return name

    article = _article(sheet, "print", address)
    document = (
        _environment()
        .get_template("print.html.j2")
        .render(
            page=page,
            lang=page.language,
            article=Markup(article),
            title=_title(page),
            author=clean(page.result.student.name),
            footer=Markup(_footer(page.language)),
        )
    )
    return document, pictures


def print_style() -> str:
    """The style sheet of print, without the faces. Its custom properties are filled in, at a third of the time."""
    style = _read("base.css") + _read("print.css")
    values = dict(re.findall(r"^  (--[a-z]+): (.+);$", style, re.MULTILINE))
    return re.sub(r"var\((--[a-z]+)\)", lambda match: values[match[1]], style)


def _title(page: Page) -> str:
    """The title of the document, in plain text."""
    assignment, name = clean(page.result.assignment), clean(page.result.student.name)
    if not name:
        return page.language.plain("Grading report: %(assignment)s", assignment=assignment)
    return page.language.plain("Grading report: %(assignment)s, %(name)s", assignment=assignment, name=name)


def _article(sheet: Sheet, medium: Literal["screen", "print"], address: Callable[[Drawing | bytes], str]) -> str:
    """The article of a sheet, whose images have the addresses that ``address`` gives them."""
    page = sheet.page
    return (
        _environment()
        .get_template("article.html.j2")
        .render(
            page=page,
            result=page.result,
            lang=page.language,
            title=_title(page),
            medium=medium,
            address=address,
            pictures_of=lambda chapter: sheet.pictures[chapter.number],
            maps=sheet.maps,
            _=page.language.say,
            _n=page.language.say_many,
        )
    )


def _class_title(cohort: Cohort, language: Language) -> str:
    return language.plain("Class report: %(assignment)s", assignment=clean(cohort.assignment))


def _class_article(cohort: Cohort, language: Language) -> str:
    alt = language.plain("Distribution of the scores")
    return (
        _environment()
        .get_template("class.html.j2")
        .render(
            cohort=cohort,
            lang=language,
            title=_class_title(cohort, language),
            finished=max((result.finished for result in cohort.graded), default=None),
            histogram=Drawing(figures.draw_histogram(cohort.bins, language), alt),
            steps=_steps(cohort, language),
            names={"report.html": "HTML", "report.fa.pdf": "PDF fa", "report.en.pdf": "PDF en"},
            problem_of=problem_of,
            _=language.say,
            _n=language.say_many,
        )
    )


def _steps(cohort: Cohort, language: Language) -> list[Markup]:
    """The bars of the distribution in words."""
    parts = len(cohort.bins)
    return [
        language.say(
            "%(low)s to %(high)s: %(count)s",
            low=language.percent(number / parts, 0),
            high=language.percent((number + 1) / parts, 0),
            count=language.integer(count),
        )
        for number, count in enumerate(cohort.bins)
    ]


def _samples(arrays: Arrays, rows: list[list[bytes]], names: list[Markup], language: Language) -> list[Sample]:
    grid = arrays.grid
    if grid is None:
        return []
    classes = [
        [class_name(number, names, language) for number in row.tolist()]
        for row in (grid.true, grid.clean_pred, grid.adversarial_pred)
    ]
    return [Sample(*columns) for columns in zip(*rows, *classes, strict=True)]


def class_name(number: int, names: list[Markup], language: Language) -> Markup:
    """A class by its name, by its number where it has none."""
    return names[number] if 0 <= number < len(names) else Markup(language.digits(str(number)))


def _embedded(picture: Drawing | bytes) -> str:
    """A PNG image as an address that holds it."""
    assert isinstance(picture, bytes), "drawings stand in the page"
    return _uri("image/png", picture)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _footer(language: Language) -> str:
    """The page number as CSS content: the words are the catalogue's, the numbers the renderer's."""
    style = "persian" if language.code == "fa" else "decimal"
    message = language.plain("Page %(page)s of %(pages)s", page="\0page\0", pages="\0pages\0")
    pieces = message.split("\0")
    return " ".join(f"counter({piece}, {style})" if i % 2 else f'"{piece}"' for i, piece in enumerate(pieces))


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.globals |= {
        "clean": clean,
        "verbatim": verbatim,
        "statuses": STATUSES,
        "marks": MARKS,
        "colours": figures.CLASS_COLOURS,
        "train_colour": figures.TRAIN_COLOUR,
        "validation_colour": figures.VALIDATION_COLOUR,
        "class_name": class_name,
        "amplification": figures.AMPLIFICATION,
        "strong": lambda text: Markup("<strong>{}</strong>").format(escape(text)),
    }
    return environment
