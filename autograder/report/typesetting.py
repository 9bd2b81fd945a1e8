"""Documents set as PDF by WeasyPrint. Importing this module loads it, and with it Pango."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Self
from xml.etree import ElementTree

from weasyprint import CSS, HTML, VERSION
from weasyprint.formatting_structure.boxes import LineBox
from weasyprint.images import SVGImage
from weasyprint.layout import inline
from weasyprint.svg.utils import color
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from autograder.report.faces import advance

_SVG = "{http://www.w3.org/2000/svg}"


class Typesetter:
    """Sets documents of one style sheet, which it reads once. A context: it keeps faces on the disk until it ends.

    Args:
        style: The style sheet.
        files: What its addresses stand for. Nothing else is ever loaded, from a disk or from a network.
    """

    def __init__(self, style: str, files: Mapping[str, bytes]) -> None:
        logging.getLogger("fontTools").setLevel(logging.ERROR)
        self._fonts = FontConfiguration()
        self._style = CSS(string=style, font_config=self._fonts, url_fetcher=_Files(files))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._fonts.__del__()  # not left to the collection of garbage, which may never come

    def pdf(self, document: str, pictures: Mapping[str, str | bytes]) -> bytes:
        """A tagged PDF (PDF/UA-1) of a document of HTML.

        ``pictures`` holds what the addresses in it stand for: the text of an SVG drawing, or an image file.
        """
        context = SimpleNamespace(font_config=self._fonts)
        labels: dict[tuple[str, str, str], list[bytes]] = {}
        images = {name: _Drawing(svg, labels, context) for name, svg in pictures.items() if isinstance(svg, str)}
        files = _Files({name: file for name, file in pictures.items() if isinstance(file, bytes)})
        page = HTML(string=document, url_fetcher=files)
        content: bytes = page.write_pdf(
            stylesheets=[self._style], font_config=self._fonts, cache=images, pdf_variant="pdf/ua-1"
        )
        return content


class _Files(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Answers from memory, and refuses all else."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=())
        self._answers = files

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        if url not in self._answers:
            raise ValueError(f"{url} is no part of the document")
        return URLFetcherResponse(url, self._answers[url])


class _Drawing(SVGImage):  # type: ignore[misc]
    """An SVG drawing of `figures`, with the ways around what costs WeasyPrint most.

    It would take a path to pieces at 20 microseconds for a dot, a second for the maps of a report: dots, and the
    discs below numbers, go into the page as they are, beneath the rest. And it would have each number shaped anew:
    what it makes of one is kept, and goes into the page wherever the number stands.

    Args:
        svg: The drawing.
        labels: What is kept of a document's numbers.
        context: What WeasyPrint wants to know of the document: its faces.
    """

    def __init__(self, svg: str, labels: dict[tuple[str, str, str], list[bytes]], context: object) -> None:
        tree = ElementTree.fromstring(svg)
        self._width, self._height = (float(tree.attrib[name]) for name in ("width", "height"))
        self._ink, self._face = tree.attrib["fill"], tree.attrib["font-family"]
        self._labels, self._context = labels, context
        self._dots = []
        for path in tree.findall(f"{_SVG}path[@stroke-linecap='round']"):
            tree.remove(path)
            colour, opacity, size, steps = (
                path.attrib[name] for name in ("stroke", "stroke-opacity", "stroke-width", "d")
            )
            if steps:
                places = steps.removeprefix("M").removesuffix("h0").split("h0M")
                self._dots.append((colour, opacity, float(size), places))
        for group in tree.findall(f"{_SVG}g"):  # a number on a disc
            tree.remove(group)
            tree.extend(group.findall(f"{_SVG}text"))
            for disc in group.findall(f"{_SVG}circle"):
                colour, opacity, radius, x, y = (
                    disc.attrib[name] for name in ("fill", "fill-opacity", "r", "cx", "cy")
                )
                self._dots.append((colour, opacity, 2 * float(radius), [f"{x} {y}"]))
        self._numbers = []
        for text in tree.findall(f"{_SVG}text"):
            tree.remove(text)
            number = text.text or ""
            size, weight = text.get("font-size", tree.attrib["font-size"]), text.get("font-weight", "400")
            before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")]
            left = float(text.attrib["x"]) - before * float(size) * advance(number, int(weight))
            self._numbers.append((left, float(text.attrib["y"]), (number, size, weight)))
        super().__init__(tree, "", None, context)

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Called by WeasyPrint to draw in a box of that size whose corner is the origin."""
        with stream.stacked():
            stream.transform(a=width / self._width, d=height / self._height)
            stream.set_line_cap(1)
            for paint, opacity, size, places in self._dots:
                colour = color(paint)
                colour.alpha = float(opacity)
                stream.set_color(colour, stroke=True)
                stream.set_line_width(size)
                stream.stream.append(" ".join(f"{place} m {place} l" for place in places).encode())
                stream.stroke()
            stream.set_color(color(self._ink))
            for x, y, label in self._numbers:
                with stream.stacked():
                    stream.transform(e=x, f=y)
                    if label not in self._labels:
                        begin = len(stream.stream)
                        self._label(*label).draw(stream, 1, 1, style)
                        self._labels[label] = stream.stream[begin:]
                    else:
                        stream.stream.extend(self._labels[label])
        super().draw(stream, width, height, style)

    def _label(self, number: str, size: str, weight: str) -> SVGImage:
        """A drawing of a number that begins at the origin."""
        box = {"width": "1", "height": "1", "font-family": self._face, "fill": self._ink}
        root = ElementTree.Element(f"{_SVG}svg", box)
        ElementTree.SubElement(root, f"{_SVG}text", {"font-size": size, "font-weight": weight}).text = number
        return SVGImage(root, "", None, self._context)


_Place = tuple[float, float, float]


def _at_its_left(avoid_collisions: Callable[..., _Place]) -> Callable[..., _Place]:
    """Tells where the left edge of a line may be, also where lines run from right to left.

    WeasyPrint 70.0 sets a line, asks for its place, and sets it again if that is another one. Right to left it
    compares the right edge with the left one, so that each line is set twice, and a line within it four times.
    """

    @functools.wraps(avoid_collisions)
    def place(context: Any, box: Any, containing: Any, outer: bool = True) -> _Place:
        x, y, width = avoid_collisions(context, box, containing, outer)
        if isinstance(box, LineBox) and containing.style["direction"] == "rtl" and not context.excluded_shapes:
            left = x - box.border_width()
            if left + box.border_width() == x:
                return left, y, width
        return x, y, width

    return place


if VERSION == "70.0":
    inline.avoid_collisions = _at_its_left(inline.avoid_collisions)
