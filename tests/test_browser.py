"""The reports in a real browser: what works when people use them, and that strangers' words do nothing in them.

Needs Chromium and its driver (Debian: chromium, chromium-driver) and selenium; axe-core lies in ``tests/vendor``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder import report
from autograder.results import write_result
from tests.sample_result import hostile_sample, sample, variant, write_class, write_sample

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver") or shutil.which("chromium.chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="Chromium or its driver is not there (Debian: chromium, chromium-driver)"
    ),
]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
THEMES = ("light", "dark")
WIDTHS = (360, 800, 1280)
LANGUAGES = ("fa", "en")


class Browser:
    """A page open in Chromium."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, query: str = "", *, width: int = 1280, theme: str = "light") -> None:
        """Opens a file of this machine in a window of that width."""
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", **metrics)
        self.driver.get(path.as_uri() + query)

    def command(self, name: str, **arguments: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script's ``return``."""
        return self.driver.execute_script(script, *arguments)

    def hover(self, x: float, y: float) -> None:
        """Moves the pointer to a place of the window."""
        self.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector: str) -> None:
        """Clicks the middle of an element, wherever it is."""
        x, y = self.run(
            "const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]",
            selector,
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def keys(self, *names: str) -> None:
        """Presses keys by their names, such as ArrowLeft."""
        for name in names:
            for kind in ("keyDown", "keyUp"):
                self.command("Input.dispatchKeyEvent", type=kind, key=name)

    def write(self, selector: str, text: str) -> None:
        """Replaces what stands in a field."""
        self.run("const e = document.querySelector(arguments[0]); e.focus(); e.select();", selector)
        self.command("Input.insertText", text=text)

    def complaints(self) -> list[str]:
        """What the console holds since the last look: errors, warnings, breaches of the page's policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses asked for since the last look, but for files and what a page holds itself."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [
            event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in sent if url.split(":")[0] not in ("data", "file")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report on one hand-in, and one on a class of 24."""
    single = write_sample(tmp_path_factory.mktemp("one"))
    report.render(single, formats=("html",))
    room = write_class(tmp_path_factory.mktemp("class"), 24)
    return {"one": single / "report.html", "class": report.render_class(room)}


@pytest.fixture
def quiet(browser: Browser) -> Iterator[Browser]:
    """The browser, which must have neither complained nor asked the network for anything in the end."""
    browser.complaints(), browser.requests()
    yield browser
    assert not browser.complaints()
    assert not browser.requests()


def test_the_language_is_switched_in_place(quiet: Browser, pages: dict[str, Path]) -> None:
    quiet.open(pages["one"])
    state = "return [document.documentElement.lang, document.documentElement.dir, document.title.slice(0, 7)]"
    assert quiet.run(state)[:2] == ["fa", "rtl"]
    quiet.run("window.kept = true; document.getElementById('fa-experiments').scrollIntoView()")
    quiet.run("document.querySelector('.languages a[lang=en]').click()")
    assert quiet.run(state) == ["en", "ltr", "Grading"]
    assert quiet.run("return window.kept") is True, "the page was loaded anew"
    assert quiet.run("return new URLSearchParams(location.search).get('lang')") == "en"
    shown = "return [...document.querySelectorAll('article')].filter((e) => e.offsetHeight).map((e) => e.lang)"
    assert quiet.run(shown) == ["en"]
    assert abs(quiet.run("return document.getElementById('en-experiments').getBoundingClientRect().top")) < 200


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_map_shows_the_image_under_the_pointer(quiet: Browser, pages: dict[str, Path], code: str) -> None:
    quiet.open(pages["one"], f"?lang={code}")
    figure = f"#{code}-experiment-standard .maps"
    place = quiet.run(
        "const svg = document.querySelector(arguments[0] + ' .panel svg'); svg.scrollIntoView({block: 'center'});"
        "const path = svg.querySelector('path[data-class]'), box = svg.getBoundingClientRect();"
        "const [, x, y] = path.getAttribute('d').match(/M(\\d+) (\\d+)/);"
        "return [box.x + (x * box.width) / 1000, box.y + (y * box.width) / 1000, Number(path.dataset.class)]",
        figure,
    )
    quiet.hover(*place[:2])
    tip = quiet.run(
        "const tip = document.querySelector(arguments[0] + ' .tip:not([hidden])');"
        "const image = tip.querySelector('.picture:not([hidden]) .thumbnail'), box = tip.getBoundingClientRect();"
        "return [tip.textContent, getComputedStyle(image).backgroundImage.slice(0, 20), image.offsetWidth,"
        " box.left >= 0 && box.right <= innerWidth]",
        figure,
    )
    names = {"en": "disc", "fa": "قرص"}
    assert place[2] == 0 and names[code] in tip[0]
    assert tip[1:] == ['url("data:image/webp', 96, True]
    quiet.hover(1, 1)
    assert quiet.run("return document.querySelectorAll('.tip:not([hidden])').length") == 0


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_map_shows_an_attacked_image_beside_what_it_was(quiet: Browser, pages: dict[str, Path], code: str) -> None:
    figure = f"#{code}-experiment-standard .maps"
    look = (
        "const tip = document.querySelector(arguments[0] + ' .tip:not([hidden])');"
        "const seen = [...tip.querySelectorAll('.picture')].filter((e) => e.offsetWidth);"
        "const [of, box] = [tip.offsetParent.clientWidth, tip.getBoundingClientRect()];"
        "return [seen.map((e) => e.innerText.trim()), seen.map((e) => e.querySelector('.thumbnail').style"
        ".backgroundPosition), tip.lastChild.textContent, box.left >= 0 && box.right <= innerWidth]"
    )
    words = {"en": ["Before", "After"], "fa": ["پیش از حمله", "پس از حمله"]}
    for width in (1280, 768, 375):
        quiet.open(pages["one"], f"?lang={code}", width=width)
        # With the pointer, a finger, and the keyboard.
        place = quiet.run(
            "const svg = document.querySelector(arguments[0] + ' [data-group=\"2\"] svg');"
            "svg.scrollIntoView({block: 'center'});"
            "const path = svg.querySelector('path[data-class]'), box = svg.getBoundingClientRect();"
            "const [, x, y] = path.getAttribute('d').match(/M(\\d+) (\\d+)/);"
            "return [box.x + (x * box.width) / 1000, box.y + (y * box.width) / 1000]",
            figure,
        )
        quiet.hover(*place)
        hovered = quiet.run(look, figure)
        quiet.hover(1, 1)
        assert quiet.run("return document.querySelectorAll('.tip:not([hidden])').length") == 0
        point = [{"x": place[0], "y": place[1]}]
        quiet.command("Input.dispatchTouchEvent", type="touchStart", touchPoints=point)
        touched = quiet.run(look, figure)
        quiet.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        assert quiet.run("return document.documentElement.scrollWidth") == width
        for captions, cells, told, inside in (hovered, touched):
            assert captions == words[code] and inside
            assert len(set(cells)) == 2 and all(cell.endswith("px") for cell in cells)
            assert told.count("قرص" if code == "fa" else "disc") >= 1
        quiet.run("document.querySelector(arguments[0] + ' [data-group=\"2\"] svg').focus()", figure)
        quiet.keys("ArrowLeft")
        spoken = quiet.run("return document.querySelector(arguments[0] + ' [data-group=\"2\"] output').value", figure)
        assert {"en": "before the attack", "fa": "پیش از حمله"}[code] in spoken


def test_only_attacked_images_are_shown_beside_another(quiet: Browser, pages: dict[str, Path]) -> None:
    quiet.open(pages["one"], "?lang=en")
    for experiment, group, shown in (("standard", 1, 1), ("standard", 2, 2), ("base", 1, 1), ("base", 2, 1)):
        panel = f"#en-experiment-{experiment} [data-group='{group}']"
        quiet.run("document.querySelector(arguments[0] + ' svg').focus()", panel)
        quiet.keys("ArrowRight")
        seen = "return [...document.querySelectorAll(arguments[0] + ' .tip .picture')].map((e) => e.offsetWidth > 0)"
        assert sum(quiet.run(seen, panel)) == shown


def test_what_is_folded_is_there_on_paper(quiet: Browser, pages: dict[str, Path]) -> None:
    quiet.open(pages["one"], "?lang=en")
    folded = "return document.querySelectorAll('details:not([open])').length"
    before = quiet.run(folded)
    assert before > 10
    quiet.run("dispatchEvent(new Event('beforeprint'))")
    assert quiet.run(folded) == 0
    quiet.run("dispatchEvent(new Event('afterprint'))")
    assert quiet.run(folded) == before


def test_a_map_is_walked_with_the_arrow_keys(quiet: Browser, pages: dict[str, Path]) -> None:
    quiet.open(pages["one"], "?lang=en")
    quiet.run("document.querySelector('#en-experiment-circle .maps svg').focus()")
    where = "const r = document.querySelector('.found'); return [+r.getAttribute('cx'), +r.getAttribute('cy')]"
    quiet.keys("ArrowRight")
    start = quiet.run(where)
    quiet.keys("ArrowRight")
    right = quiet.run(where)
    assert right[0] > start[0]
    quiet.keys("ArrowUp")
    assert quiet.run(where)[1] < right[1]
    assert quiet.run("return document.querySelector('#en-experiment-circle output').value").startswith("Class ")
    quiet.keys("Escape")
    assert quiet.run("return document.querySelector('.found')") is None


def test_the_legend_chooses_classes(quiet: Browser, pages: dict[str, Path]) -> None:
    quiet.open(pages["one"], "?lang=en")
    visible = (
        "return [...new Set([...document.querySelectorAll('#en-experiment-base .maps [data-class]')]"
        ".filter((e) => e.localName === 'path' && e.style.display !== 'none').map((e) => +e.dataset.class))]"
        ".sort((a, b) => a - b)"
    )
    every = quiet.run(visible)
    assert every == list(range(10))
    button = "#en-experiment-base .classes li[data-class='{}'] button"
    quiet.click(button.format(3))
    assert quiet.run(visible) == [3]
    quiet.click(button.format(7))
    assert quiet.run(visible) == [3, 7]
    pressed = "return document.querySelectorAll('#en-experiment-base button[aria-pressed=true]').length"
    assert quiet.run(pressed) == 2
    for number in (3, 7):
        quiet.click(button.format(number))
    assert quiet.run(visible) == every


def test_old_results_without_images_tell_the_class_alone(quiet: Browser, tmp_path: Path) -> None:
    write_sample(tmp_path, images=False)
    report.render(tmp_path, formats=("html",), languages=("en",))
    quiet.open(tmp_path / "report.html")
    quiet.run("document.querySelector('#en-experiment-base .maps svg').focus()")
    quiet.keys("ArrowRight")
    tip = "const t = document.querySelector('.tip:not([hidden])'); return [t.innerText.trim(), t.offsetHeight < 60]"
    words, small = quiet.run(tip)
    assert words.startswith("Class ") and "taken" not in words and small


def test_a_class_is_searched_and_sorted(quiet: Browser, pages: dict[str, Path]) -> None:
    quiet.open(pages["class"], "?lang=fa")
    rows = "return [...document.querySelectorAll('#fa .roll tbody tr')].filter((e) => !e.hidden).map((e) => {}) "
    names = rows.format("e.cells[0].dataset.value")
    assert len(quiet.run(names)) == 25
    quiet.write("#fa-search", "رضايي")  # with Arabic letters
    found = quiet.run(names)
    assert found and all("رضایی" in name for name in found)
    assert quiet.run("return document.querySelector('#fa .finder output').value").split()[0] == "۸"
    number = variant(3).student.number
    quiet.write("#fa-search", "".join("۰۱۲۳۴۵۶۷۸۹"[int(digit)] for digit in number))
    assert quiet.run(names) == [variant(3).student.name]
    quiet.write("#fa-search", " ")
    quiet.click("#fa .roll thead th[data-kind=number] button")
    points = [float(each) for each in quiet.run(rows.format("e.cells[3]?.dataset.value ?? -1"))]
    assert points[:24] == sorted(points[:24], reverse=True)
    assert (
        quiet.run("return document.querySelector('#fa .roll [aria-sort]').getAttribute('aria-sort')") == "descending"
    )


def test_a_class_leads_to_each_report(quiet: Browser, pages: dict[str, Path]) -> None:
    quiet.open(pages["class"], "?lang=en")
    quiet.run("document.querySelector('#en .roll a.report').click()")
    assert quiet.run("return document.title") == "A report"
    assert quiet.run("return location.search") == "?lang=en"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("which", ["one", "class"])
def test_axe_finds_nothing_serious(quiet: Browser, pages: dict[str, Path], which: str, code: str, theme: str) -> None:
    quiet.open(pages[which], f"?lang={code}", theme=theme)
    quiet.run(AXE)
    found = quiet.driver.execute_async_script(
        "const done = arguments[arguments.length - 1]; axe.run({resultTypes: ['violations']}).then((r) => done("
        "r.violations.map((v) => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)])))"
    )
    assert not [each for each in found if each[0] in ("serious", "critical")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["one", "class"])
def test_nothing_is_wider_than_the_window(
    quiet: Browser, pages: dict[str, Path], tmp_path: Path, which: str, width: int
) -> None:
    for code in LANGUAGES:
        quiet.open(pages[which], f"?lang={code}", width=width)
        wide = quiet.run(
            "return [document.documentElement.scrollWidth, innerWidth, [...document.querySelectorAll('article *')]"
            ".filter((e) => !e.closest('.scroller, .unseen, .skip, svg') && e.offsetWidth &&"
            " (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1))"
            ".slice(0, 3).map((e) => e.outerHTML.slice(0, 120))]"
        )
        assert wide == [width, width, []]
        picture = tmp_path / f"{code}.png"
        assert quiet.driver.save_screenshot(str(picture)) and picture.stat().st_size > 5_000


def test_words_of_strangers_do_nothing(quiet: Browser, tmp_path: Path) -> None:
    hostile = hostile_sample()
    room = tmp_path / "class"
    folder = room / "<img src=x onerror=alert(1)>"
    write_sample(folder, hostile)
    write_result(sample(), room / "good")
    report.render(folder, formats=("html",))
    clicked: Callable[[], Any] = lambda: quiet.run(  # noqa: E731
        "for (const e of document.querySelectorAll('button, summary')) e.click();"
        "for (const e of document.querySelectorAll('.maps svg'))"
        " { e.focus(); e.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft'})); }"
        "return [document.querySelectorAll('script').length, document.querySelectorAll("
        "'article script, article img:not("
        '[src^="data:"]), iframe, object, embed, base, form\').length, window.done ?? null,'
        " [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith('on')"
        " || /^\\s*javascript:/i.test(a.value) && ['href', 'src', 'action'].includes(a.name)).length]"
    )
    for path, scripts in ((folder / "report.html", 2), (report.render_class(room), 1)):
        for code in LANGUAGES:
            quiet.open(path, f"?lang={code}")
            assert clicked() == [scripts, 0, None, 0]
            assert "<script>" in quiet.run("return document.body.innerText")
