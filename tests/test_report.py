"""The report: what it contains in both languages, what it escapes, and what it does with missing or hostile data."""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from PIL import Image

from autograder import report
from autograder.assignment import load
from autograder.report import catalogue, content, figures, thumbnails
from autograder.report.arrays import Curves, Embedding
from autograder.report.arrays import read as read_arrays
from autograder.report.bidi import MOST_TOGETHER, Direction, clean, direction_of, isolate, verbatim
from autograder.report.jalali import jalali
from autograder.report.language import LANGUAGES, language
from autograder.results import Answer, Criterion, Experiment, Result, Student, Text
from tests.sample_result import HOSTILE, hostile_sample, sample, write_sample

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = {
    "en": ["Score", "Criteria", "Experiments", "What was left out", "Appendix"],
    "fa": ["نمره", "معیارها", "آزمایش‌ها", "آنچه جا مانده است", "پیوست"],
}
QUESTIONS = {
    "en": ["Question 1: generalisation", "Question 2: adversarial robustness"],
    "fa": ["پرسش ۱: تعمیم", "پرسش ۲: مقاومت در برابر حمله"],
}
CHAPTERS = {
    "en": [each.title.en for each in sample().experiments],
    "fa": [each.title.fa for each in sample().experiments],
}
ANSWERS = {
    "en": [each.title.en for each in sample().criteria if each.kind == "manual"],
    "fa": [each.title.fa for each in sample().criteria if each.kind == "manual"],
}
RAN = [each for each in sample().experiments if each.status == "run"]
ATTACKED = [each for each in RAN if each.question == "Q2"]
VOID = {"meta", "img", "br", "link", "path", "rect"}


class Page(HTMLParser):
    """What a test asks of a document: its elements in order, each with its attributes, its parents and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[dict[str, str]] = []
        self.open: list[dict[str, str]] = []
        self.unbalanced: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {key: value or "" for key, value in attrs}
        element |= {"tag": tag, "text": "", "path": " ".join(each["tag"] for each in self.open)}
        element["article"] = next((each.get("lang", "") for each in self.open if each["tag"] == "article"), "")
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1]["tag"] != tag:
            self.unbalanced.append(tag)
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element["text"] += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [
            element
            for element in self.elements
            if element["tag"] == tag and all(element.get(key) == value for key, value in wanted.items())
        ]

    def headings(self, code: str) -> list[tuple[int, str]]:
        return [
            (int(each["tag"][1]), " ".join(each["text"].split()))
            for each in self.elements
            if re.fullmatch("h[1-6]", each["tag"]) and each["article"] == code
        ]


def html(folder: Path, result: Result | None = None, **options: object) -> Page:
    """The HTML report of a result whose arrays, if any, already lie in ``folder``."""
    if result is not None:
        (folder / "results.json").write_text(result.model_dump_json(), encoding="utf-8")
    written = report.render(folder, formats=("html",), **options)  # type: ignore[arg-type]
    return Page(written[0].read_text(encoding="utf-8"))


def text_of_pdf(path: Path) -> str:
    """The text of a PDF in reading order."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed (Debian: poppler-utils)")
    output = subprocess.run(["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True, check=True).stdout
    # pdftotext marks the direction of each line; the marks are no part of the text
    return re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", output.decode())


class Rendered(NamedTuple):
    folder: Path
    paths: list[Path]
    complaints: list[str]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The sample, rendered in everything there is, and what WeasyPrint complained about."""
    folder = write_sample(tmp_path_factory.mktemp("a folder with spaces"))
    complaints: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("weasyprint")
    logger.addHandler(handler)
    try:
        return Rendered(folder, report.render(folder), complaints)
    finally:
        logger.removeHandler(handler)


@pytest.fixture(scope="module")
def folder(rendered: Rendered) -> Path:
    return rendered.folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture
def no_torch() -> Iterator[str]:
    """Code that makes torch and the judge unimportable."""
    yield (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'torchvision', 'umap', 'sklearn'):\n"
        "            raise ImportError(name + ' is blocked')\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )


# The page


def test_one_html_and_a_pdf_per_language(rendered: Rendered) -> None:
    folder, paths, _ = rendered
    assert paths == [folder / name for name in ("report.html", "report.fa.pdf", "report.en.pdf")]
    assert [path.read_bytes()[:5] for path in paths] == [b"<!DOC", b"%PDF-", b"%PDF-"]
    assert not list(folder.glob("*.tmp")) + list(folder.glob(".*"))


def test_html_is_self_contained_and_small(folder: Path, page: Page) -> None:
    assert (folder / "report.html").stat().st_size < 6_000_000
    addresses = [value for element in page.elements for key in ("src", "href") if (value := element.get(key))]
    assert addresses
    assert {address.split(":")[0] if ":" in address else address[0] for address in addresses} <= {"data", "#"}
    style = "".join(element["text"] for element in page.all("style"))
    assert set(re.findall(r"url\(\"?(\w+):", style)) == {"data"}
    assert "@import" not in style


@pytest.mark.slow
def test_html_stays_small_at_the_size_of_the_full_profile(tmp_path: Path) -> None:
    """More images than there are in truth, which nothing can pack, and long answers."""
    per_group = load().module("experiments").PROFILES["full"].embedded
    result = sample()
    for each in result.experiments:
        each.status, each.arrays = "run", f"figures/{each.id}.npz"
    for criterion in result.criteria:
        if criterion.written:
            criterion.written.answer = Answer(state="answered", text=("متن فارسی (N, 3) و " * 600)[:10_000])
    write_sample(tmp_path, result, per_group, images=False)
    for number, path in enumerate(sorted((tmp_path / "figures").iterdir())):
        with np.load(path) as file:
            arrays = dict(file)
        shape = (len(arrays["umap_xy"]), 3, 32, 32)
        arrays["umap_images"] = np.random.default_rng(number % 4).integers(0, 256, shape).astype(np.uint8)
        np.savez(path, **arrays)
    html(tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 6_000_000


def test_the_picture_of_all_images_keeps_to_what_it_may_take() -> None:
    images = np.random.default_rng(0).integers(0, 256, (400, 3, 32, 32)).astype(np.uint8)
    numbers = np.zeros(400, np.int64)
    settings = {"trustworthiness": None, "knn": None, "seed": None, "neighbors": None, "min_dist": None}
    embedding = Embedding(np.zeros((400, 2)), numbers, numbers, **settings, images=images)
    sizes = {}
    for budget in (10_000_000, 250_000, 60_000):
        atlas = thumbnails.collect([None, embedding], budget)
        assert atlas is not None and atlas.cells[0] is None
        sizes[budget] = len(atlas.webp)
        assert sizes[budget] <= budget
    assert len(set(sizes.values())) == 3
    assert thumbnails.collect([None], 0) is None


def test_an_attacked_image_knows_what_it_was_made_of(tmp_path: Path) -> None:
    write_sample(tmp_path)
    standard = next(each for each in sample().experiments if each.id == "standard")
    embedding = read_arrays(tmp_path, standard).embedding
    assert embedding is not None and embedding.images is not None and embedding.clean is not None
    attacked = np.flatnonzero(embedding.group == 2)
    assert (embedding.clean[embedding.group != 2] == -1).all()
    change = embedding.images[attacked].astype(int) - embedding.images[embedding.clean[attacked]]
    assert (
        np.abs(change).max() == 26 and (embedding.label[attacked] == embedding.label[embedding.clean[attacked]]).all()
    )
    path = tmp_path / standard.arrays
    with np.load(path) as file:
        arrays = dict(file)
    # An image that has no place on the map is nobody's, and the others keep theirs.
    arrays["umap_xy"][60] = np.nan
    np.savez(path, **arrays)
    fewer = read_arrays(tmp_path, standard).embedding
    assert fewer is not None and fewer.clean is not None and fewer.images is not None
    assert fewer.clean[fewer.group == 2].tolist() == [-1, *range(60, 119)]
    # Where classes differ the images are others, and none is shown as what another was.
    arrays["umap_label"][130] += 1
    np.savez(path, **arrays)
    other = read_arrays(tmp_path, standard).embedding
    assert other is not None and other.clean is None
    base = next(each for each in sample().experiments if each.id == "base")
    untouched = read_arrays(tmp_path, base).embedding
    assert untouched is not None and untouched.clean is None


def test_html_is_well_formed(page: Page) -> None:
    assert not page.unbalanced
    assert not page.open
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    for element in page.elements:
        if element.get("href", "").startswith("#"):
            assert element["href"][1:] in ids
        for name in element.get("aria-labelledby", "").split():
            assert name in ids


def test_only_the_pages_own_script_may_run(page: Page) -> None:
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    data, script = page.all("script")
    assert data["type"] == "application/json"
    digest = base64.b64encode(hashlib.sha256(script["text"].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [name for element in page.elements for name in element if name.startswith("on")]


@pytest.mark.parametrize("code", LANGUAGES)
def test_sections_and_chapters_come_in_order(page: Page, code: str) -> None:
    headings = page.headings(code)
    titles = [title for level, title in headings if level == 2]
    assert titles[1:] == SECTIONS[code]
    assert [title for level, title in headings if level == 4] == ANSWERS[code] + CHAPTERS[code]
    assert [title for level, title in headings if title in QUESTIONS[code]] == QUESTIONS[code]
    levels = [level for level, _ in headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_both_languages_say_which_they_are(page: Page) -> None:
    articles = page.all("article")
    assert [(each["lang"], each["dir"]) for each in articles] == [("fa", "rtl"), ("en", "ltr")]
    (root,) = page.all("html")
    assert (root["lang"], root["dir"]) == ("fa", "rtl")
    assert articles[0]["data-title"] == "گزارش تصحیح: hw1، سارا رضایی"
    assert [each["hreflang"] for each in page.all("a") if "hreflang" in each] == ["fa", "en"]


def test_tables_images_and_drawings_can_be_read_aloud(page: Page) -> None:
    assert all(each.get("scope") in ("row", "col", "rowgroup") for each in page.all("th"))
    assert len(page.all("img")) == 2 * len(ATTACKED) * 8 * 3  # languages, experiments with a grid, images, rows
    assert all(each.get("alt") for each in page.all("img"))
    drawings = page.all("svg")
    assert len(drawings) == 2 * (
        len(RAN) * (2 + 3) + len(ATTACKED)
    )  # languages, experiments, curves and maps, robustness
    assert all(each.get("role") == "img" and each.get("aria-label") for each in drawings)


def test_numbers_are_those_of_the_result_in_the_digits_of_each_language(page: Page) -> None:
    persian, english = (each["text"] for each in page.all("article"))
    assert "33.5 of 62 points" in english
    assert "۳۳٫۵ از ۶۲ نمره" in persian
    assert "93.1%" in english and "0.943" in english and "November 23, 2026" in english
    assert "۹۳٫۱٪" in persian and "۰٫۹۴۳" in persian and "۲ آذر ۱۴۰۵" in persian
    assert not re.search(r"[0-9]%", persian)
    for own in (each["text"] for each in page.all("p", dir="rtl") + page.all("bdi", dir="rtl")):
        english = english.replace(own, "")
    assert not re.search(r"[۰-۹]", english)


def test_sentences_compare_with_threshold_reference_and_attack(page: Page) -> None:
    persian, english = (" ".join(each["text"].split()) for each in page.all("article"))
    assert (
        "Source test set: the accuracy is 93.1%, 8.1 percentage points above the threshold of 85.0%. "
        "The reference reaches 94.1% on average, 1.0 percentage points more. "
        "The course's report has 92.0%, on the real images." in english
    )
    assert "The reference reaches the same on average." in english
    assert "From “Source test set” to “Target test set” the accuracy falls by 38.3 percentage points." in english
    assert "From “Target test set” to “Source test set” the accuracy falls by 85.4 percentage points." in english
    assert "Target test set: “Augmentation” does best, 64.9%, by 10.1 percentage points over “Baseline”." in english
    assert "Clean test set: no experiment does better than “Standard training (part A)” with 87.4%." in english
    assert "PGD (eps = 8/255), takes 86.6 percentage points and leaves 0.8%" in english
    assert "Clean test set: the accuracy is 41.2%, 13.8 percentage points below the threshold of 55.0%." in english
    assert "از «آزمون مبدأ» به «آزمون مقصد»، دقت ۳۸٫۳ واحد درصد افت می‌کند." in persian


def test_what_failed_says_why_and_what_was_not_run_says_so(page: Page) -> None:
    persian, english = (" ".join(each["text"].split()) for each in page.all("article"))
    assert "features(x) returned (4, 128, 1, 1) where (4, 128) was expected." in english
    assert "6 criteria lost points" in english
    assert "در تصحیح انسانی: ۷٫۵" in persian
    for words in (
        "Earned automatically: 26 Given by a human: 7.5 Awaiting a human: 10 Lost: 18.5",
        "Written: a doubtful figure about robustness Full points 5 of 5 points",
        "Written: clean accuracy and accuracy under attack Part of the points 2.5 of 3 points",
        "Written: attacking a classifier without a gradient No points 0 of 2 points",
        "Written: pretrained weights Awaiting marking up to 3 points",
    ):
        assert words.replace(" ", "") in english.replace(" ", "")
    assert "Not run: The weights it begins with are not here;" in english
    assert "در ۱۰ ثانیه پاسخی نیامد." in persian
    assert [each["class"] for each in page.all("tbody") if each["article"] == "fa" and "class" in each].count(
        "failed"
    ) == 4


def test_embedded_data_are_named_as_such(page: Page) -> None:
    persian, english = (each["text"] for each in page.all("article"))
    assert english.count("synth_digits → sklearn_digits (embedded, not SVHN/MNIST)") >= 6
    assert "objects10 (embedded, not CIFAR-10)" in english
    assert "دادهٔ درون‌ساخته، نه SVHN/MNIST" in persian


def test_latin_in_persian_is_isolated(page: Page) -> None:
    isolated = {each["text"] for each in page.all("bdi", dir="ltr") if each["article"] == "fa"}
    assert {"features()", "(N, 8*width)", "torch.flatten(x, 1)", "log(softmax(x))", "ResNet18", "(UMAP)"} <= isolated


def test_rendering_twice_gives_the_same_page(folder: Path) -> None:
    before = (folder / "report.html").read_bytes()
    report.render(folder, formats=("html",))
    assert (folder / "report.html").read_bytes() == before


# The PDFs


def letters(text: str) -> list[str]:
    """The letters and digits of a line, sorted: extraction may put runs of two directions in either order."""
    return sorted(character for character in text if character.isalnum())


@pytest.mark.parametrize("code", LANGUAGES)
def test_pdf_holds_every_title_in_reading_order(folder: Path, code: str) -> None:
    lines = [letters(line) for line in text_of_pdf(folder / f"report.{code}.pdf").splitlines()]
    chapters = [*QUESTIONS[code][:1], *CHAPTERS[code][:8], *QUESTIONS[code][1:], *CHAPTERS[code][8:]]
    titles = ["Grading report" if code == "en" else "گزارش تصحیح", *SECTIONS[code][:2], *ANSWERS[code]]
    titles += [*SECTIONS[code][2:3], *chapters]
    position = -1
    for title in [*titles, *SECTIONS[code][3:]]:
        assert letters(title) in lines[position + 1 :], title
        position = lines.index(letters(title), position + 1)


@pytest.mark.parametrize("code", LANGUAGES)
def test_pdf_is_tagged_and_outlined(folder: Path, code: str) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed (pip install pypdf)")
    reader = pypdf.PdfReader(folder / f"report.{code}.pdf")

    def titles(outline: list[object], level: int) -> Iterator[tuple[int, str]]:
        for entry in outline:
            if isinstance(entry, list):
                yield from titles(entry, level + 1)
            else:
                yield level, entry["/Title"]  # type: ignore[index]

    outline = list(titles(reader.outline, 1))
    assert [title for level, title in outline if level == 2] == SECTIONS[code]
    assert [title for level, title in outline if level == 4] == ANSWERS[code] + CHAPTERS[code]
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == code
    assert reader.metadata["/Title"] == reader.metadata.title
    assert reader.metadata.title.startswith("Grading report: hw1" if code == "en" else "گزارش تصحیح: hw1")


@pytest.mark.parametrize("code", LANGUAGES)
def test_pdf_embeds_its_faces_and_no_other(folder: Path, code: str) -> None:
    if not shutil.which("pdffonts"):
        pytest.skip("pdffonts is not installed (Debian: poppler-utils)")
    output = subprocess.run(["pdffonts", folder / f"report.{code}.pdf"], capture_output=True, text=True, check=True)
    fonts = [line.split() for line in output.stdout.splitlines()[2:]]
    assert fonts
    for name, *_, embedded, subset, unicode, _object, _generation in fonts:
        assert re.search("Vazirmatn|Report-Fallback|Report-Code", name), name
        assert (embedded, subset, unicode) == ("yes", "yes", "yes")


def test_maps_have_their_coloured_dots_in_the_pdf(folder: Path, tmp_path: Path) -> None:
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm is not installed (Debian: poppler-utils)")
    subprocess.run(["pdftoppm", "-r", "40", "-png", folder / "report.en.pdf", tmp_path / "page"], check=True)
    pixels = np.concatenate(
        [np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3) for path in tmp_path.glob("page*.png")]
    ).astype(int)
    for colour in figures.CLASS_COLOURS:
        wanted = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
        wanted = 0.15 * 255 + 0.85 * wanted  # the dots let the paper through
        near = np.abs(pixels - wanted).max(axis=1) < 12
        assert near.sum() > 40, colour


def test_pdf_pages_are_numbered_in_the_digits_of_the_language(folder: Path) -> None:
    english, persian = (text_of_pdf(folder / f"report.{code}.pdf") for code in ("en", "fa"))
    assert f"Page 2 of {english.count(chr(12))}" in english
    last = persian.count("\f")
    assert letters(f"صفحهٔ {language('fa').integer(last)} از {language('fa').integer(last)}") in [
        letters(line) for line in persian.splitlines()
    ]


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_of_the_figures_are_text_in_the_pdf(folder: Path, code: str) -> None:
    percent = language(code).percent
    words = text_of_pdf(folder / f"report.{code}.pdf").split()
    for number in (0.0, 0.25, 0.5, 0.75, 1.0):  # of the axis of every chart of an accuracy
        assert sum(letters(word) == letters(percent(number, 0)) for word in words) >= len(RAN) + len(ATTACKED)


def test_setting_lines_once_sets_them_where_twice_does() -> None:
    """A right-to-left line set once, as the report's are, lies where WeasyPrint puts it by setting it twice."""
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed")
    from weasyprint.layout import inline

    from autograder.report.typesetting import Typesetter

    words = "مدل پایه <bdi dir=ltr>f(x, 1)</bdi> با چند واژهٔ دیگر و <b>واژه‌ای پررنگ</b> <i style='{}'>و خانه</i> "
    document = f"<div dir=rtl>{''.join(words.format(style) for style in ('', 'display: inline-block'))}</div>"
    made = []
    once = inline.avoid_collisions
    for place in (once, getattr(once, "__wrapped__", once)):
        for width in range(60, 400, 20):
            inline.avoid_collisions = place
            try:
                with Typesetter(
                    f"@page {{ size: {width}px 900px; margin: 7.3px }} div {{ padding: 0.31em }}", {}
                ) as typesetter:
                    made.append(typesetter.pdf(document, {}))
            finally:
                inline.avoid_collisions = once
    half = len(made) // 2
    assert made[:half] == made[half:]


def test_nothing_stays_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    folder, temporary = write_sample(tmp_path), tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "autograder", "report", folder, "--formats", "pdf", "--lang", "fa"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"TMPDIR": str(temporary)}, check=True, capture_output=True)
    assert not list(temporary.iterdir())


def test_setting_the_pdfs_raises_no_complaint(rendered: Rendered) -> None:
    assert not rendered.complaints


# Written answers


@pytest.mark.parametrize("code", LANGUAGES)
def test_answers_stand_with_their_question_rubric_mark_and_comment(page: Page, code: str) -> None:
    article = " ".join(page.all("article", lang=code)[0]["text"].split())
    place = 0
    for criterion in (each for each in sample().criteria if each.kind == "manual"):
        written = criterion.written
        assert written is not None
        for words in (
            getattr(criterion.title, code),
            getattr(written.question, code)[:40],
            written.answer.text.split("\n")[0] or getattr(written.answer.note, code)[:40],
            getattr(written.rubric, code)[:20],
            getattr(criterion.message, code)[:30] if criterion.mark else "",
            getattr(written.model, code)[:40],
            getattr(written.marking, code)[3:20],
        ):
            assert words in article[place:], words
            place = article.index(words, place)
    told = {"en": ("Not answered.", "1,234 more letters"), "fa": ("پاسخ داده نشده است.", "۱٬۲۳۴ نویسهٔ دیگر")}
    assert all(words in article for words in told[code])
    marked = {"en": "Part of the points 2.5 of 3 points", "fa": "بخشی از نمره ۲٫۵ از ۳ نمره"}
    assert marked[code] in article


def test_an_answers_paragraphs_have_their_own_direction_and_its_code_stays_code(page: Page) -> None:
    for code in LANGUAGES:
        own = [each for each in page.all("p") if each["article"] == code and "dir" in each]
        persian, english = ([each for each in own if each["dir"] == way] for way in ("rtl", "ltr"))
        assert persian[0]["text"].startswith("شبکه بیش از هر چیز") and english[0]["text"].startswith("**48 %**")
        assert "- حذف رنگ: افت ۱٫۲ واحد درصد\n- درشت" in persian[1]["text"]
        (written,) = [each for each in page.all("pre") if each["article"] == code]
        assert written["dir"] == "ltr" and "\n    return rotate(x, angle).clamp(0, 1)" in written["text"]
    isolated = {each["text"] for each in page.all("bdi", dir="ltr")}
    assert {"zoom(x, angle=15)", "L(x + d) ≈ L(x) + d·g", "eps·‖g‖₁", "32×32×3"} <= isolated


def test_pdf_holds_the_answers(folder: Path) -> None:
    for code in LANGUAGES:
        lines = [letters(line) for line in text_of_pdf(folder / f"report.{code}.pdf").splitlines()]
        assert letters("شبکه بیش از هر چیز به *شکل* خط‌ها وابسته است. از میله‌ها:") in lines
        assert letters("2. Random signs change next to nothing.") in lines
        assert letters("    return rotate(x, angle).clamp(0, 1)") in lines


def test_students_see_the_rubric_and_no_model_answer(tmp_path: Path) -> None:
    write_sample(tmp_path, sample().model_copy(update={"experiments": []}))
    instructor, student = html(tmp_path), html(tmp_path, audience="student")
    pdfs = [text_of_pdf(path) for path in report.render(tmp_path, formats=("pdf",), audience="student")]
    source = (tmp_path / "report-student.html").read_text(encoding="utf-8")
    for criterion in sample().criteria:
        if criterion.written is None:
            continue
        for code, pdf in zip(LANGUAGES, pdfs, strict=True):
            articles = [each.all("article", lang=code)[0]["text"] for each in (instructor, student)]
            shown, seen = (" ".join(each.split()) for each in articles)
            assert getattr(criterion.written.rubric, code)[:20] in seen
            assert criterion.written.answer.text.split("\n")[0] in seen
            for text in (criterion.written.model, criterion.written.marking):
                words: str = getattr(text, code).split("\n")[0][3:45]
                assert words in shown
                assert words not in seen and words not in source
                assert letters(words) not in [letters(line[: len(words)]) for line in pdf.splitlines()]
    for secret in ("Model answer", "پاسخ نمونه", "How the points are divided"):
        assert secret not in source and not any(secret in pdf for pdf in pdfs)


def answered(text: str, **more: object) -> Result:
    """The sample with nothing in it but one answer."""
    result = sample()
    (one,) = [each for each in result.criteria if each.id == "written.q1_domain_gap"]
    assert one.written is not None
    one.written.answer = Answer.model_validate({"state": "answered", "text": text} | more)
    return result.model_copy(update={"criteria": [one], "experiments": []})


def test_an_answer_is_text_and_nothing_else(tmp_path: Path) -> None:
    text = (
        "<script>window.done = 1</script> ![x](http://evil.example/x.png) [y](javascript:alert(1)) <img src=x>\n\n"
        "turned \u202egpj.exe\u202c around \x1b[2J\n\n```html\n</pre><script>1</script>\u2067\n"
    )
    page = html(tmp_path, answered(text))
    assert len(page.all("script")) == 1 and not page.all("img") and not page.unbalanced
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", source)
    for article in page.all("article"):
        assert "![x](http://evil.example/x.png) [y](javascript:alert(1)) <img src=x>" in article["text"]
        assert "turned gpj.exe around " in article["text"]
    assert [each["text"] for each in page.all("pre")] == ["</pre><script>1</script>"] * 2


@pytest.mark.parametrize("text", ["x" * 12_000, "a ب " * 3_000, "۱\n" * 6_000, ")" * 12_000, "```\n" * 3_000])
def test_the_longest_answers_are_set(tmp_path: Path, text: str) -> None:
    html(tmp_path, answered(text))
    assert (tmp_path / "report.html").stat().st_size < 6_000_000
    assert len(report.render(tmp_path, formats=("pdf",), languages=("fa",))) == 1


def test_lines_are_joined_as_markdown_joins_them() -> None:
    text = "one\ntwo\n- a\n  b\n۲. c\nd  \ne\\\nf\n| x |\n| y |\nz\n# head\ntail\n\n~~~\ng\n\nh\n~~~\n\n\nend"
    shown = [(block.code, re.sub("</?bdi[^>]*>", "", block.text)) for block in content.blocks(text, "ltr")]
    assert shown == [
        (False, "one two\n- a b\n۲. c d  \ne\\\nf\n| x |\n| y |\nz\n# head\ntail"),
        (True, "g\n \nh"),
        (False, "end"),
    ]


@given(st.text(alphabet=st.sampled_from("ab ب۱`~\n\t<&\u202e-*#$"), max_size=80))
def test_no_letter_of_an_answer_is_lost(text: str) -> None:
    for direction in ("rtl", "ltr"):
        shown = content.blocks(text, direction)
        assert all(block.text.striptags() and block.direction in ("rtl", "ltr") for block in shown)
        kept = "".join(str(Markup(re.sub("</?bdi[^>]*>", "", block.text)).unescape()) for block in shown)
        assert [each for each in kept if each in "ab<&*#$"] == [
            each
            for line in text.split("\n")
            if not line.strip().startswith(("```", "~~~"))
            for each in line
            if each in "ab<&*#$"
        ]


def test_a_result_from_before_answers_were_kept_says_so(tmp_path: Path) -> None:
    result = answered("x")
    result.criteria[0].written = None
    persian, english = (each["text"] for each in html(tmp_path, result).all("article"))
    assert "The answer is not stored with this result." in english
    assert "پاسخ همراه این نتیجه ذخیره نشده است." in persian


@pytest.mark.parametrize("code", LANGUAGES)
def test_all_that_was_left_out_says_why(page: Page, code: str) -> None:
    article = " ".join(page.all("article", lang=code)[0]["text"].split())
    omissions = article[article.rindex(SECTIONS[code][3]) :]
    for what, why in (
        *((each.title, each.note) for each in sample().experiments if each.status == "not_run"),
        *((each.title, each.reason) for each in sample().skipped),
    ):
        told = omissions[omissions.index(getattr(what, code)) :]
        assert told[len(getattr(what, code)) :].strip().startswith(getattr(why, code)[:30])
    unread = next(each for each in sample().criteria if each.written and each.written.answer.state == "unread")
    assert unread.written is not None
    assert getattr(unread.written.answer.note, code)[:40] in omissions[omissions.index(getattr(unread.title, code)) :]


# Strings of users


def test_everything_is_escaped(tmp_path: Path) -> None:
    page = html(tmp_path, hostile_sample())
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not page.unbalanced
    for article in page.all("article"):
        assert article["text"].count(HOSTILE) >= 60
    pdf = report.render(tmp_path, languages=("fa",), formats=("pdf",))
    assert "<script>window.done=1</script>" in "".join(text_of_pdf(pdf[0]).split())


def test_an_override_in_a_name_turns_nothing_around(tmp_path: Path) -> None:
    name = "Sara \u202egnp.ilagner\u2066 \x1b[31mred\x00"
    page = html(tmp_path, sample().model_copy(update={"student": Student(name=name)}))
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", source)
    assert "Sara gnp.ilagner red" in {each["text"] for each in page.all("bdi")}


def test_long_names_and_foreign_scripts_are_set(tmp_path: Path) -> None:
    name = "Wolfe" * 60 + " Ἀριστοτέλης Достоевский"
    result = sample().model_copy(update={"student": Student(name=name, number="4" * 300), "experiments": []})
    page = html(tmp_path, result)
    assert name in {each["text"] for each in page.all("bdi")}
    assert '"Report Fallback"' in page.all("style")[0]["text"]
    pdf = report.render(tmp_path, languages=("en",), formats=("pdf",))
    text = text_of_pdf(pdf[0])
    assert "Достоевский" in text
    assert "Wolfe" * 20 not in text.split("\f")[1]  # the running head is cut short


def test_a_text_without_a_translation_is_shown_in_the_other_language(tmp_path: Path) -> None:
    result = sample()
    result.criteria[2].message = Text(en="Only English.")
    page = html(tmp_path, result)
    (persian,) = [each for each in page.all("span", lang="en") if each["article"] == "fa"]
    assert (persian["text"], persian["dir"]) == ("Only English.", "ltr")


# Missing, broken and extreme data


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "pickle", "outside"])
def test_without_figures_the_page_says_so(tmp_path: Path, damage: str) -> None:
    write_sample(tmp_path)
    path = tmp_path / "figures" / "standard.npz"
    result = sample()
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    elif damage == "text":
        path.write_text("not an archive")
    elif damage == "pickle":
        np.savez(path, **{"curve_train_loss": np.array([print, print], dtype=object)})
    else:
        outside = tmp_path.parent / f"{tmp_path.name}.npz"
        shutil.move(path, outside)
        result.experiments[8].arrays = f"../{outside.name}"
    page = html(tmp_path, result)
    english = page.all("article", lang="en")[0]["text"]
    omissions = english[english.rindex("What was left out") :]
    for figure in ("Learning curves", "Map of the features", "Images before and after the attack"):
        assert f"Standard training (part A): {figure}" in omissions
    assert len(page.all("svg")) == 2 * ((len(RAN) - 1) * 5 + len(ATTACKED) - 1)


@pytest.mark.parametrize(
    ("key", "value", "lost"),
    [
        ("umap_label", np.zeros(3, int), "Map of the features"),
        ("umap_xy", np.full((180, 2), np.nan), "Map of the features"),
        ("grid_adversarial", np.zeros((8, 3, 16, 16), np.uint8), "Images before and after the attack"),
        ("grid_true", np.zeros(8), "Images before and after the attack"),
        ("robust_eps", np.zeros((2, 2)), "Accuracy over the strength of the attack"),
        ("curve_val_accuracy", np.array(["a"]), None),
        ("curve_train_loss", np.array([1.0, np.nan, np.inf, 0.2]), None),
        ("umap_trustworthiness", np.array(np.nan), None),
        ("umap_group", np.full(180, 7), None),
    ],
)
def test_a_bad_array_costs_its_own_figure_only(tmp_path: Path, key: str, value: np.ndarray, lost: str | None) -> None:
    write_sample(tmp_path)
    path = tmp_path / "figures" / "standard.npz"
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {key: value}))
    english = html(tmp_path).all("article", lang="en")[0]["text"]
    omissions = english[english.rindex("What was left out") :]
    assert omissions.count("Standard training (part A)") == (1 if lost else 0)
    assert lost is None or f"Standard training (part A): {lost}" in omissions
    assert "nan" not in english.replace("the loss is nan", "")


def test_one_epoch_and_one_image_are_drawn(tmp_path: Path) -> None:
    write_sample(tmp_path)
    single = {
        "curve_train_loss": np.array([0.0]),
        "curve_val_accuracy": np.array([1.0]),
        "umap_xy": np.array([[3.0, 4.0]]),
        "umap_label": np.array([3]),
        "umap_group": np.array([0]),
        "robust_eps": np.array([0.0]),
        "robust_accuracy": np.array([0.5]),
    }
    np.savez(tmp_path / "figures" / "standard.npz", **single)
    drawings = html(tmp_path, languages=("en",)).all("svg")
    assert len([each for each in drawings if each["aria-label"].startswith("Standard")]) == 4
    pdf = report.render(tmp_path, languages=("en",), formats=("pdf",))
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm is not installed (Debian: poppler-utils)")
    drawn = subprocess.run(
        ["pdftoppm", "-r", "20", "-png", pdf[0], tmp_path / "page"], capture_output=True, text=True
    )
    assert not drawn.stderr


def test_an_empty_result_is_still_a_page(tmp_path: Path) -> None:
    empty = {"criteria": [], "experiments": [], "environment": {}, "score": 0.0, "max_score": 0.0, "pending": 0.0}
    result = sample().model_copy(update=empty | {"student": Student(), "skipped": []})
    page = html(tmp_path, result)
    english = page.all("article", lang="en")[0]["text"]
    assert "This result has no criteria." in english
    assert "No experiments belong to this result." in english
    assert "Nothing: every criterion was decided" in english
    assert page.headings("en")[0] == (1, "Assignment hw1")
    assert len(report.render(tmp_path, formats=("pdf",))) == 2


def test_an_experiment_without_figures_of_any_kind_is_still_a_chapter(tmp_path: Path) -> None:
    result = sample().model_copy(update={"experiments": [Experiment(id="bare", data="")]})
    page = html(tmp_path, result)
    assert (4, "bare") in page.headings("en")
    assert "Nothing was measured." in page.all("article", lang="en")[0]["text"]


def test_a_thousand_messages(tmp_path: Path) -> None:
    criteria = [
        Criterion(
            id=f"c{number}",
            stub=f"stub{number % 7}",
            kind="unit",
            status="failed",
            points=0,
            max_points=1,
            title=Text(en=f"Title {number}", fa=f"عنوان {number}"),
            message=Text(
                en=f"Message {number}: features() went wrong", fa=f"پیام {number}: تابع features() نادرست بود"
            ),
        )
        for number in range(1000)
    ]
    page = html(tmp_path, sample().model_copy(update={"criteria": criteria, "experiments": []}))
    assert len([each for each in page.all("p") if each.get("class") == "message"]) == 2000
    assert (tmp_path / "report.html").stat().st_size < 6_000_000


# Choices of the caller


def test_one_language_only(tmp_path: Path) -> None:
    page = html(write_sample(tmp_path), languages=("en",))
    assert [each["lang"] for each in page.all("article")] == ["en"]
    assert page.all("html")[0]["dir"] == "ltr"
    assert not [each for each in page.all("a") if "hreflang" in each]


def test_the_first_language_asked_for_is_shown_first(folder: Path) -> None:
    page = html(folder, languages=("en", "fa", "en"))
    assert [each["lang"] for each in page.all("article")] == ["en", "fa"]
    assert page.all("html")[0]["data-language"] == "en"


def test_students_see_no_seed_path_isolation_or_fault(tmp_path: Path) -> None:
    write_sample(tmp_path, sample().model_copy(update={"faults": ["the grader's own traceback"]}))
    instructor, student = html(tmp_path), html(tmp_path, audience="student")
    assert (tmp_path / "report-student.html").exists()
    secrets = ["20261123", "۲۰۲۶۱۱۲۳", "/home/ta", "Landlock", "network namespace", "the grader's own traceback"]
    for secret in secrets:
        assert any(secret in each["text"] for each in instructor.all("article")), secret
        assert not any(secret in each["text"] for each in student.all("article")), secret
    source = (tmp_path / "report-student.html").read_text(encoding="utf-8")
    assert not [secret for secret in secrets if secret in source]
    assert "401123456 sara_rezaei (final).zip" in source


def test_callers_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        report.render(tmp_path)
    write_sample(tmp_path)
    with pytest.raises(ValueError, match="no language 'de': there are fa and en"):
        report.render(tmp_path, languages=("de",))
    with pytest.raises(ValueError, match="no format 'docx'"):
        report.render(tmp_path, formats=("docx",))
    with pytest.raises(ValueError, match="no language given"):
        report.render(tmp_path, languages=())
    assert not list(tmp_path.glob("report*"))


def command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    report.add_parser(parser.add_subparsers())
    return report.main(parser.parse_args(["report", *arguments]))


def test_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(str(folder), "--lang", "en", "--formats", "html") == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert command(str(tmp_path)) == 2
    assert "no results.json" in capsys.readouterr().err
    assert command(str(folder), "--lang", "de") == 2
    assert capsys.readouterr().err == "error: no language 'de': there are fa and en\n"
    (tmp_path / "results.json").write_text(json.dumps({"schema_version": 1}))
    assert command(str(tmp_path)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "is not a result of this kit: kit_version: Field required" in error


def test_without_pango_the_html_is_written_and_one_line_tells_the_cure(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder / "results.json", tmp_path)
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.delitem(sys.modules, "autograder.report.typesetting")
    with pytest.raises(report.ReportError, match="apt install libpango") as caught:
        report.render(tmp_path)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.glob("report*")] == ["report.html"]
    assert command(str(tmp_path)) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_needs_neither_torch_nor_the_judge(folder: Path, tmp_path: Path, no_torch: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("report*"))
    code = (
        f"{no_torch}"
        "from pathlib import Path\n"
        "from autograder.report import render\n"
        "print(*[path.name for path in render(Path(sys.argv[1]), languages=['fa'])])\n"
        "assert not [name for name in sys.modules if name.startswith('autograder.judge')]\n"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("report.html report.fa.pdf\n", 0), run.stderr


# Languages


@pytest.mark.parametrize("code", LANGUAGES)
def test_catalogue_is_complete(code: str) -> None:
    found = {message.id: message for message in catalogue.extract() if message.id}
    stored = {message.id: message for message in catalogue.read(code) if message.id}
    assert len(found) > 100
    assert set(found) - set(stored) == set(), "run: python -m autograder.report.catalogue, then translate"
    assert set(stored) - set(found) == set(), "unused; run: python -m autograder.report.catalogue"
    for key, message in stored.items():
        ids, strings = (key, message.string) if isinstance(key, tuple) else ((key,), (message.string,))
        assert not message.fuzzy, key
        assert all(strings), key
        allowed = set(re.findall(r"%\((\w+)\)s", " ".join(ids)))
        for string in strings:
            assert set(re.findall(r"%\((\w+)\)s", string)) <= allowed, key
            if not isinstance(key, tuple):
                assert set(re.findall(r"%\((\w+)\)s", string)) == allowed, key


def test_persian_messages_are_written_in_persian() -> None:
    for message in catalogue.read("fa"):
        for string in message.string if isinstance(message.string, tuple) else (message.string,):
            if not message.id:
                continue
            prose = re.sub(r"%\(\w+\)s", "", string)
            assert not re.search("[يكةى٠-٩]", prose), f"Arabic letters or digits: {string}"
            assert not re.search(r"(?<![A-Za-z-])[0-9](?!-)", prose.replace("SHA-256", "").replace("CIFAR-10", "")), (
                string
            )
            assert not re.search(r" (ها|های|هایی|تر|ترین)\b|\b(می|نمی) ", prose), f"half-space missing: {string}"
            assert not re.search(r"[,;?]", prose), f"Latin punctuation: {string}"


def test_catalogue_update_changes_nothing_that_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in LANGUAGES:
        original = catalogue.catalogue_path(code)
        copy = tmp_path / f"{code}.po"
        shutil.copy(original, copy)
        with monkeypatch.context() as patch:
            patch.setattr(catalogue, "catalogue_path", lambda _, copy=copy: copy)
            catalogue.update(code)
        assert copy.read_text(encoding="utf-8") == original.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("gregorian", "expected"),
    [
        ((2025, 3, 20), (1403, 12, 30)),  # the last day of a leap year
        ((2025, 3, 21), (1404, 1, 1)),
        ((2024, 3, 19), (1402, 12, 29)),
        ((2024, 3, 20), (1403, 1, 1)),
        ((2026, 11, 23), (1405, 9, 2)),
        ((1979, 2, 11), (1357, 11, 22)),
        ((2026, 9, 22), (1405, 6, 31)),
        ((2026, 9, 23), (1405, 7, 1)),
        ((2030, 3, 20), (1408, 12, 30)),
    ],
)
def test_jalali(gregorian: tuple[int, int, int], expected: tuple[int, int, int]) -> None:
    assert jalali(date(*gregorian)) == expected


@given(st.dates(date(1800, 1, 1), date(2120, 1, 1)))
def test_jalali_days_follow_each_other(day: date) -> None:
    year, month, of_month = jalali(day)
    after = jalali(date.fromordinal(day.toordinal() + 1))
    assert after in ((year, month, of_month + 1), (year, month + 1, 1), (year + 1, 1, 1))
    assert after[2] > 1 or of_month in ((31,) if month <= 6 else (30,) if month <= 11 else (29, 30))


def test_numbers() -> None:
    persian, english = language("fa"), language("en")
    assert (persian.percent(0.7231), english.percent(0.7231)) == ("۷۲٫۳٪", "72.3%")
    assert (persian.points(3.5), english.points(3.0)) == ("۳٫۵", "3")
    assert (persian.integer(12345), english.integer(12345)) == ("۱۲٬۳۴۵", "12,345")
    assert (persian.decimal(0.5, 3), english.decimal(0.5, 0)) == ("۰٫۵۰۰", "0")


@pytest.mark.parametrize(
    ("persian", "shown"),
    [
        ("در 60 جایگاه از 384 جایگاه", "در ۶۰ جایگاه از ۳۸۴ جایگاه"),
        ("دقت 41.2% است", "دقت ۴۱٫۲٪ است"),
        ("ابعاد (4, 128) و 1e4 و x = 3", "ابعاد (4, 128) و 1e4 و x = 3"),
        ("کلاس ResNet18 در 3.11 بود.", "کلاس ResNet18 در ۳٫۱۱ بود."),
    ],
)
def test_numbers_in_persian_prose_get_persian_digits(persian: str, shown: str) -> None:
    assert language("fa").text(Text(fa=persian)).striptags() == shown
    assert language("en").text(Text(en="60 of 384")) == "60 of 384"


# Two directions in one line


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("‏features()‎ ویژگی‌ها را با ابعاد (N, 8*width) برمی‌گرداند", ["features()", "(N, 8*width)"]),
        ("نتیجه در بازهٔ [۰، ۱] می‌ماند", []),
        ("بخش (A) را ببینید: torch.flatten(x, 1).", ["(A)", "torch.flatten(x, 1)"]),
        ("برای gammaی بزرگ", ["gamma"]),
        ("خطای 'NoneType'.", ["'NoneType'"]),
        ("ابعاد (2, 3) بود، نه (4, 5)!", ["(2, 3)", "(4, 5)"]),
        ("«Circle loss» خوب است", ["Circle loss"]),
        ("از a<b> و x & y", ["a<b>", "x & y"]),
        ("با --profile full اجرا شود", ["--profile full"]),
        ("برابر نیست. epsilon، تعداد", ["epsilon"]),
        ("در فایل .npz است... x, y.", [".npz", "x, y"]),
    ],
)
def test_latin_runs(text: str, runs: list[str]) -> None:
    marked = isolate(text, "rtl")
    found = re.findall('<bdi dir="ltr">(.*?)</bdi>', marked)
    assert [str(Markup(each).unescape()) for each in found] == runs


@given(st.text(alphabet=st.sampled_from("abN8(){}[]*.,:'\"<>& ابپ‌ی۱۲،؛«»\u202e\u2067\x00\n"), max_size=60))
def test_isolation_keeps_the_text_and_escapes_it(text: str) -> None:
    for direction in ("rtl", "ltr"):
        marked = isolate(text, direction)
        bare = re.sub('<bdi dir="(?:ltr|rtl)">|</bdi>', "", marked)
        assert "<" not in bare and ">" not in bare
        assert Markup(bare).unescape() == clean(text)
        assert marked.count("<bdi") == marked.count("</bdi>")


def test_direction_of_a_users_text() -> None:
    assert direction_of("123 سارا Sara") == "rtl"
    assert direction_of("(Sara) سارا") == "ltr"
    assert verbatim("<b>سارا") == Markup('<bdi dir="ltr">&lt;b&gt;سارا</bdi>')


# In a browser


def chromium_dom(address: str, profile: Path) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        pytest.skip("chromium is not installed (Debian: chromium)")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--enable-logging=stderr"]
    run = subprocess.run(
        [program, *options, "--dump-dom", address], capture_output=True, text=True, timeout=60, check=True
    )
    assert "CONSOLE" not in run.stderr, run.stderr
    return run.stdout


@pytest.mark.slow
def test_browser_opens_the_language_asked_for(folder: Path, tmp_path: Path) -> None:
    address = (folder / "report.html").as_uri()
    report.render(folder, formats=("html",))
    for query, code, direction in (("", "fa", "rtl"), ("?lang=en", "en", "ltr"), ("?lang=xx", "fa", "rtl")):
        page = Page(chromium_dom(address + query, tmp_path))
        (root,) = page.all("html")
        assert (root["lang"], root["dir"], root["data-language"]) == (code, direction, code)
        assert page.all("title")[0]["text"].startswith("Grading report" if code == "en" else "گزارش تصحیح")
        assert [each["lang"] for each in page.all("a", **{"aria-current": "true"})] == [code]


@pytest.mark.parametrize("loss", [-1e11, 1e11, -1e-30, 0.0, -5.0])
def test_curves_of_one_number_are_drawn(loss: float) -> None:
    """They are the student's own, and may be any numbers."""
    curves = Curves(np.full(3, loss), None, np.full(3, loss))
    for draw in (figures.draw_losses, figures.draw_validation_accuracy):
        svg = draw(curves, language("en"))
        assert svg is not None and "nan" not in svg and "inf" not in svg


@pytest.mark.parametrize("text", ["aب" * 1000, "a\u00a0ب\u00a0" * 500, "x\u00a0" * 1000])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_letters_by_turns_are_no_words_to_isolate(text: str, direction: Direction) -> None:
    """Print would take minutes for them."""
    told = isolate(text, direction)
    assert told.count("<bdi") <= MOST_TOGETHER and re.sub("<[^>]*>", "", str(told)) == text
    apart = isolate("ab بپ " * 500, direction)
    assert apart.count("<bdi") == 500


def test_a_word_without_end_may_end_a_line() -> None:
    """Print would take minutes for five pages of one word; a word of any length that words have stays one."""
    (told,) = content.blocks("x" * 12_000, "ltr")
    assert (
        max(map(len, str(told.text).split("\u200b"))) <= 100 and str(told.text).replace("\u200b", "") == "x" * 12_000
    )
    (told,) = content.blocks("x" * 100 + " y", "ltr")
    assert str(told.text) == "x" * 100 + " y"
