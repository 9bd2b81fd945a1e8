"""Students' notebooks run locked down: what they print is shown, and whatever they do costs themselves alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.judge import notebook
from autograder.judge.contestant import Isolation
from autograder.judge.notebook import NotebookLimits, NotebookProcess, NotebookUnavailable

pytestmark = pytest.mark.slow
PNG = "import base64\nfrom IPython.display import Image\nImage(base64.b64decode('iVBORw0KGgo='), format='png')"

Start = Callable[..., NotebookProcess]


@pytest.fixture
def start(tmp_path: Path, isolation: Isolation) -> Start:
    """Makes a notebook's process in a hand-in of one module, with limits that are changed as told."""
    folder = tmp_path / "somewhere"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "mine.py").write_text("ANSWER = 42\n")

    def make(**limits: Any) -> NotebookProcess:
        return NotebookProcess(folder, "hw1", replace(NotebookLimits(), **limits), isolation, {"HW1_IMAGES": "7"})

    return make


def names(outputs: list[dict[str, Any]]) -> list[str]:
    """What each output is: the name of an error, else its type."""
    return [output.get("ename") or output["output_type"] for output in outputs]


def test_a_notebook_is_shown_as_jupyter_would_show_it(start: Start) -> None:
    with start() as process:
        assert process.run("import hw1.mine, mine\nhw1.mine.ANSWER + mine.ANSWER")[0]["data"]["text/plain"] == "84"
        [said, warned] = process.run("import sys\nprint('a')\nprint('b')\nprint('c', file=sys.stderr)")
        assert (said["text"], warned["name"]) == ("a\nb\n", "stderr")
        assert process.run("import os\nos.environ['HW1_IMAGES'], os.path.basename(os.getcwd())")[0]["data"] == {
            "text/plain": "('7', 'hw1')"
        }
        [figure] = process.run("%matplotlib inline\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
        assert set(figure["data"]) == {"image/png", "text/plain"}
        [error] = process.run("1 / 0")
        assert error["ename"] == "ZeroDivisionError" and "1 / 0" in "".join(error["traceback"])
        assert names(process.run("def broken(")) == ["SyntaxError"]
        [bar] = process.run("for n in range(99):\n    print(f'\\r{n}', end='')\nprint()")
        assert bar["text"] == "98\n"
        [cleared] = process.run(
            "from IPython.display import clear_output\nprint(1)\nclear_output(wait=True)\nprint(2)"
        )
        assert cleared["text"] == "2\n"
        assert process.run("ANSWER = 1") == [] and process.run("ANSWER")[0]["data"]["text/plain"] == "1"


def test_nothing_that_a_browser_would_run_is_shown(start: Start) -> None:
    with start() as process:
        process.run("from IPython.display import HTML, SVG, Javascript, Markdown, display, Image")
        for made in ("HTML('<script>1</script>')", "Javascript('1')", "SVG('<svg/>')", "Markdown('<script>')"):
            assert all(set(output["data"]) <= {"text/plain"} for output in process.run(f"display({made})"))
        assert "image/png" in process.run(PNG)[0]["data"]
        assert process.run("display({'image/png': 'PHN2Zz4='}, raw=True)") == []  # no picture, whatever it is called
        assert process.run("display({'text/html': '<b>', 'text/plain': 'b'}, raw=True)")[0]["data"] == {
            "text/plain": "b"
        }


def test_cells_that_hang_or_flood_are_stopped_and_the_next_one_runs(start: Start) -> None:
    with start(cell_s=2, cell_bytes=20_000) as process:
        process.run("kept = 5")
        assert names(process.run("while True:\n    pass")) == ["CellTimeout"]
        assert names(process.run("import time\ntime.sleep(1000)")) == ["CellTimeout"]
        flooded = process.run("while True:\n    print('x' * 100)")
        assert names(flooded) == ["stream", "TooMuchOutput"] and len(flooded[0]["text"]) < 20_000
        assert flooded[1]["traceback"][0] != flooded[1]["traceback"][1]  # it is told in both languages
        assert process.run("kept")[0]["data"]["text/plain"] == "5"


def test_a_notebook_has_an_end_however_many_of_its_cells_hang(start: Start) -> None:
    with start(notebook_s=3) as process:
        assert names(process.run("while True:\n    pass")) == ["NotebookTimeout"]
        assert names(process.run("while True:\n    pass")) == ["NotebookTimeout"]
        assert names(process.run("1")) == ["NotebookEnded"]


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(0)",
        "import ctypes\nctypes.string_at(1)",
        "import os\nos.closerange(3, 256)",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
    ],
    ids=["exit", "segfault", "closed", "deaf"],
)
def test_a_notebook_that_ends_its_process_costs_itself_alone(
    code: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "GRACE_S", 1.0)
    with start(cell_s=2) as process:
        assert names(process.run(code))[-1] == "NotebookEnded"
        assert names(process.run("1")) == ["NotebookEnded"]
        assert process.process.returncode is not None


FORGE = """
import os, stat

def socket_of_its_own(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False

def forge(data):
    [wire] = filter(socket_of_its_own, range(3, 256))
    while data:
        data = data[os.write(wire, data):]
"""


def test_what_is_no_message_is_not_taken_for_one(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "MAX_LINE_BYTES", 1 << 20)
    for forged in ("b'[' * 100000 + b'\\n'", "b'[1]\\n'", "b'\\xff\\n'", "b'x' * (2 << 20)"):
        with start() as process:
            process.run(FORGE)
            assert names(process.run(f"forge({forged})"))[-1] == "NotebookEnded"
    harmless = [{"data": {"text/html": "<b>"}}, {"error": 3}, {"stream": "x"}, {"data": {"image/png": "@"}}, {}]
    told = {"error": {"ename": [], "evalue": 3, "traceback": "x"}}
    lines = "".join(json.dumps(message) + "\n" for message in [*harmless, told])
    with start() as process:
        process.run(FORGE)
        [error] = process.run(f"forge({lines.encode()!r})")
        assert error == {"output_type": "error", "ename": "", "evalue": "", "traceback": []}


def test_a_notebook_sees_and_reaches_nothing(start: Start, isolation: Isolation, tmp_path: Path) -> None:
    if isolation == "none":
        pytest.skip("this machine cannot lock a contestant away")
    secret = tmp_path / "secret.txt"
    secret.write_text("answers")
    secret.chmod(0o644)
    with start() as process:
        assert {"seccomp", "closed descriptors", "no capabilities"} <= set(process.layers)
        assert names(process.run(f"open({str(secret)!r}).read()")) in (["FileNotFoundError"], ["PermissionError"])
        assert names(process.run("import socket\nsocket.socket()")) == ["PermissionError"]
        assert names(process.run("socket.socketpair()")) == ["PermissionError"]
        assert names(process.run("import os\nos.fork()")) == ["PermissionError"]
        assert names(process.run("!ls")) != []
        assert names(process.run("import numpy\nnumpy.ones(1 << 40)")) == ["MemoryError"]
        assert names(process.run("open('big', 'wb').write(bytes(80 << 20))")) == ["OSError"]
        assert process.run("sorted(os.environ)")[0]["data"]["text/plain"].count("KEY") == 0


def test_where_it_cannot_be_locked_away_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(NotebookLimits().process, open_files=-5)  # a layer that cannot be had
    with (
        pytest.raises(NotebookUnavailable),
        NotebookProcess(tmp_path, "hw1", replace(NotebookLimits(), process=limits)),
    ):
        pytest.fail("it runs")
