"""Documents set as PDF by WeasyPrint. Importing this module loads it, and with it Pango."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from weasyprint import CSS, HTML
from weasyprint.images import SVGImage
from weasyprint.svg.utils import color
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from autograder.report.faces import advance

_PATH, _TEXT = ("{http://www.w3.org/2000/svg}" + name for name in ("path", "text"))
_DOT = re.compile(r"M(\S+) (\S+)h0")


class Typesetter:
    """Sets documents of one style sheet, which it reads once.

    Args:
        style: The style sheet.
        files: What its addresses stand for. Nothing else is ever loaded, from a disk or from a network.
    """

    def __init__(self, style: str, files: Mapping[str, bytes]) -> None:
        logging.getLogger("fontTools").setLevel(logging.ERROR)
        self._fonts = FontConfiguration()
        self._style = CSS(string=style, font_config=self._fonts, url_fetcher=_Files(files))

    def pdf(self, document: str, pictures: Mapping[str, str | bytes]) -> bytes:
        """A tagged PDF (PDF/UA-1) of a document of HTML.

        ``pictures`` holds what the addresses in it stand for: the text of an SVG drawing, or an image file.
        """
        context = SimpleNamespace(font_config=self._fonts)
        images = {name: _Drawing(svg, context) for name, svg in pictures.items() if isinstance(svg, str)}
        files = _Files({name: file for name, file in pictures.items() if isinstance(file, bytes)})
        with _uncollected():
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

    It would take a path to pieces at 20 microseconds for a dot, a second for the maps of a report: dots go into the
    page as they are, beneath the rest. Text that is not anchored at its start would get a page description of its own
    for each number: its width is known here.
    """

    def __init__(self, svg: str, context: object) -> None:
        tree = ElementTree.fromstring(svg)
        self._width, self._height = (float(tree.attrib[name]) for name in ("width", "height"))
        self._dots = [path for path in tree.iterfind(_PATH) if path.get("stroke-linecap") == "round"]
        for path in self._dots:
            tree.remove(path)
        for text in tree.iter(_TEXT):
            if anchor := text.attrib.pop("text-anchor", None):
                size = float(text.get("font-size") or tree.attrib["font-size"])
                width = size * advance(text.text or "", int(text.get("font-weight", "400")))
                text.set("x", f"{float(text.attrib['x']) - width * (0.5 if anchor == 'middle' else 1):.2f}")
        super().__init__(tree, "", None, context)

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Called by WeasyPrint to draw in a box of that size whose corner is the origin."""
        with stream.stacked():
            stream.transform(a=width / self._width, d=height / self._height)
            stream.set_line_cap(1)
            for path in self._dots:
                colour = color(path.attrib["stroke"])
                colour.alpha = float(path.attrib["stroke-opacity"])
                stream.set_color(colour, stroke=True)
                stream.set_line_width(float(path.attrib["stroke-width"]))
                stream.stream.append(_DOT.sub(r"\1 \2 m \1 \2 l ", path.attrib["d"]).encode())
                stream.stroke()
        super().draw(stream, width, height, style)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: setting a document makes hundreds of thousands of objects that all live until its end,
    and looking through them again and again takes a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
