"""What students receive: complete, without a line of the solutions, and up to date."""

from __future__ import annotations

import argparse
import gettext
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from textwrap import dedent

import nbformat
import numpy as np
import pytest
from traitlets.config.loader import PyFileConfigLoader

from autograder import release as releasing
from autograder.release import ReleaseError, clear_code, clear_notebook, differences, release
from autograder.translations import compiled

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "solutions" / "hw1"
RELEASED = ROOT / "assignment" / "hw1"

ABSOLUTE = re.compile(r"(?<![\w.])/(home|root|Users|work|tmp|mnt|opt|srv|var)/\w|\b[A-Z]:\\\\?Users")
"""Where an author's files may lie."""

STUBS = {
    "resnet": ["ResNet18"],
    "losses": ["LabelSmoothingCrossEntropy", "convert_label_to_similarity", "CircleLoss"],
    "attacks": ["fgsm_attack", "pgd_attack"],
}


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of hw1, made now."""
    return release(SOURCE, tmp_path_factory.mktemp("fresh") / "hw1")


def contents(folder: Path) -> dict[str, bytes]:
    """Relative path -> bytes of all files in a folder; the members of an npz besides, which are compressed in it."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in [name for name in found if name.endswith(".npz")]:
        with zipfile.ZipFile(io.BytesIO(found[name])) as archive:
            found |= {f"{name}/{member}": archive.read(member) for member in archive.namelist()}
    return found


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python as a student would, who has no part of this checkout on the path."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHON"))}
    environment["OMP_NUM_THREADS"] = "1"
    # As in an activated environment, whether this one is or not: nbgrader calls a program of another package.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


# --- the release of hw1 -------------------------------------------------------------------------------------


def test_the_assignment_is_up_to_date(fresh: Path) -> None:
    assert differences(fresh, RELEASED) == [], "cure: make release"


@pytest.mark.slow
def test_a_second_release_has_the_same_bytes(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere, in another process, in another language and time zone, by another user's settings."""
    target = tmp_path / "elsewhere" / "hw1"
    for name, value in {"TZ": "Asia/Tehran", "LC_ALL": "C", "HOME": str(tmp_path), "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)
    script = f"from pathlib import Path; from autograder.release import release; release(Path({str(SOURCE)!r}), "
    done = python("-X", "utf8=0", "-c", script + f"Path({str(target)!r}))", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert contents(target) == contents(fresh)


def test_no_line_of_a_solution_is_released(fresh: Path) -> None:
    secret, regions = set(), 0
    for path in SOURCE.glob("*.py"):
        lines = path.read_text().split("\n")
        solved = set()
        for region in releasing.solution_regions(lines, path.name):
            regions += 1
            solved |= set(range(region.begin - 1, region.end))
        public = {line.strip() for number, line in enumerate(lines) if number not in solved}
        said = {lines[number].partition("#")[0].strip() for number in solved} - public
        secret |= {line for line in said if len(line) > 15}
    assert regions >= 9
    assert len(secret) >= 40
    answers = [
        "".join(cell["source"]).split("\n")
        for path in SOURCE.glob("*.ipynb")
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution")
    ]
    assert len(answers) >= 13
    secret |= {part for lines in answers for line in lines for part in line.split(". ") if len(part) > 15}
    assert len(secret) >= 200
    for name, content in contents(fresh).items():
        text = content.decode("utf-8", "replace")
        assert not [line for line in secret if line in text], name
        assert "SOLUTION" not in text, name


def test_nothing_of_the_course_or_of_the_author_is_released(fresh: Path) -> None:
    seed = str(tomllib.loads((SOURCE / "grading" / "rubric.toml").read_text())["seed"])
    released = contents(fresh)
    assert {"resnet.py", "losses.py", "attacks.py", "tests/conftest.py", "tests/expected.npz"} <= set(released)
    assert not [name for name in released if "grading" in name or name.endswith((".po", ".pyc"))]
    private = (path for part in ("grading", "corpus") for path in (SOURCE / part).rglob("*.*"))
    kept_back = {path.read_bytes() for path in private if path.is_file()}
    assert len(kept_back) > 300
    assert not kept_back & set(released.values())
    for name, content in released.items():
        for place in (str(ROOT), str(fresh.parent), f"{Path.home()}/", seed):
            assert place.encode() not in content, name
        assert not ABSOLUTE.search(content.decode("utf-8", "replace")), name


def test_released_notebooks_are_as_if_never_run(fresh: Path) -> None:
    notebooks = list(fresh.glob("*.ipynb"))
    assert len(notebooks) >= 10
    for path in notebooks:
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, path.name
            if cell["metadata"].get("nbgrader", {}).get("solution"):
                assert cell["source"] == ["YOUR ANSWER HERE"], path.name


def test_stubs_of_a_copied_folder_import_and_say_that_they_are_not_written(fresh: Path, tmp_path: Path) -> None:
    shutil.copytree(fresh, tmp_path / "hw1")
    script = f"""
import importlib, inspect, json
said = {{}}
for module, names in {STUBS!r}.items():
    for name in names:
        stub = getattr(importlib.import_module("hw1." + module), name)
        try:
            if name in ("LabelSmoothingCrossEntropy", "CircleLoss"):
                stub = stub(*[1.0] * (len(inspect.signature(stub).parameters)))
            stub(*[None] * len(inspect.signature(stub.forward if hasattr(stub, "forward") else stub).parameters))
        except NotImplementedError as error:
            said[name] = str(error)
print(json.dumps(said))
"""
    done = python("-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "ResNet18": "ResNet18.__init__: not written yet",
        "LabelSmoothingCrossEntropy": "LabelSmoothingCrossEntropy.forward: not written yet",
        "convert_label_to_similarity": "convert_label_to_similarity: not written yet",
        "CircleLoss": "CircleLoss.forward: not written yet",
        "fgsm_attack": "fgsm_attack: not written yet",
        "pgd_attack": "pgd_attack: not written yet",
    }


@pytest.mark.slow
def test_a_copied_folder_fails_blank_and_passes_solved(fresh: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my homework"
    shutil.copytree(fresh, folder)
    blank = python("-m", "pytest", "-q", cwd=folder)
    assert blank.returncode == 1, blank.stdout + blank.stderr
    assert "not written yet" in blank.stdout
    closing = blank.stdout.strip().splitlines()[-1]
    assert "failed" in closing and "passed" not in closing and "error" not in closing and "skipped" not in closing

    for module in STUBS:
        shutil.copyfile(SOURCE / f"{module}.py", folder / f"{module}.py")
    solved = python("-m", "pytest", "-q", cwd=folder)
    assert solved.returncode == 0, solved.stdout
    closing = solved.stdout.strip().splitlines()[-1]
    assert "passed" in closing and "skipped" not in closing


# --- solutions in code --------------------------------------------------------------------------------------

CLEARED = {
    "a function": (
        """
        def f(x):
            "Says what it does."
            ### BEGIN SOLUTION
            y = x + 1
            return y
            ### END SOLUTION
        """,
        """
        def f(x):
            "Says what it does."
            # YOUR CODE HERE
            raise NotImplementedError("f: not written yet")
        """,
    ),
    "methods, with marks out of line": (
        """
        class A:
            def first(self):
            ### BEGIN SOLUTION
                return 1
            ### END SOLUTION

            async def second(self):
                ### BEGIN SOLUTION
                return 2
        ### END SOLUTION
        """,
        """
        class A:
            def first(self):
                # YOUR CODE HERE
                raise NotImplementedError("A.first: not written yet")

            async def second(self):
                # YOUR CODE HERE
                raise NotImplementedError("A.second: not written yet")
        """,
    ),
    "a block in a function, and what comes after": (
        """
        def f(x):
            for i in x:
                if i:
                    ### BEGIN SOLUTION
                    text = '''
        at the margin'''
                    ### END SOLUTION
            return x
        """,
        """
        def f(x):
            for i in x:
                if i:
                    # YOUR CODE HERE
                    raise NotImplementedError("f: not written yet")
            return x
        """,
    ),
    "a function in a function": (
        """
        def outer():
            def inner():
                ### BEGIN SOLUTION
                pass
                ### END SOLUTION
            return inner
        """,
        """
        def outer():
            def inner():
                # YOUR CODE HERE
                raise NotImplementedError("outer.inner: not written yet")
            return inner
        """,
    ),
    "a handler": (
        """
        def f():
            try:
                g()
            except ValueError:
                ### BEGIN SOLUTION
                h()
                ### END SOLUTION
        """,
        """
        def f():
            try:
                g()
            except ValueError:
                # YOUR CODE HERE
                raise NotImplementedError("f: not written yet")
        """,
    ),
    "top level": (
        """
        import os
        ### BEGIN SOLUTION
        @cache
        def helper():
            return os
        ### END SOLUTION
        x = 1
        """,
        """
        import os
        # YOUR CODE HERE (classes or functions of your own, if you want any)
        x = 1
        """,
    ),
    "a class's body": (
        """
        class A:
            ### BEGIN SOLUTION
            x = 1

            def f(self):
                return 2
            ### END SOLUTION
        """,
        """
        class A:
            # YOUR CODE HERE
            pass
        """,
    ),
    "tabs": (
        "def f():\n\t### BEGIN SOLUTION\n\treturn 1\n\t### END SOLUTION\n",
        'def f():\n\t# YOUR CODE HERE\n\traise NotImplementedError("f: not written yet")\n',
    ),
    "no solution": ("x = 1  \n", "x = 1  \n"),
}


@pytest.mark.parametrize(("code", "cleared"), CLEARED.values(), ids=CLEARED)
def test_a_stub_stands_in_the_place_of_a_solution(code: str, cleared: str) -> None:
    assert clear_code(dedent(code), "a.py") == dedent(cleared)


WRONG = {
    "never ends": ("def f():\n    ### BEGIN SOLUTION\n    pass\n", r"^a\.py:2: .*never ends"),
    "never began": ("x = 1\n### END SOLUTION\n", r"^a\.py:2: .*never began"),
    "nested": (
        "### BEGIN SOLUTION\nx = 1\n### BEGIN SOLUTION\ny = 1\n### END SOLUTION\n### END SOLUTION\n",
        r"^a\.py:3: .*line 1",
    ),
    "lower case": ("x = 1\n### begin solution\ny = 1\n### end solution\n", r"^a\.py:2: write the mark"),
    "behind code": ("x = 1  ### BEGIN SOLUTION\n### END SOLUTION\n", r"^a\.py:1: write the mark"),
    "nothing between": ("### BEGIN SOLUTION\n# a comment\n### END SOLUTION\n", r"^a\.py:1: .*no whole statement"),
    "half a statement": (
        "def f():\n    ### BEGIN SOLUTION\n    x = 1\n    y = [\n    ### END SOLUTION\n    1]\n",
        r"^a\.py:2: .*whole statements",
    ),
    "two functions": (
        "def f():\n    ### BEGIN SOLUTION\n    return 1\ndef g():\n    return 2\n    ### END SOLUTION\n",
        r"^a\.py:2: .*one block",
    ),
    "no Python": ("### BEGIN SOLUTION\nx = = 1\n### END SOLUTION\n", r"^a\.py:2: "),
    "none left": (
        "if x:\n    ### BEGIN SOLUTION\n    y = 1\n    ### END SOLUTION\n",
        r"^a\.py, once cleared:\d: expected an indented block",
    ),
}


@pytest.mark.parametrize(("code", "complaint"), WRONG.values(), ids=WRONG)
def test_wrong_marks_are_told_with_their_line(code: str, complaint: str) -> None:
    with pytest.raises(ReleaseError, match=complaint) as caught:
        clear_code(code, "a.py")
    assert "\n" not in str(caught.value)


# --- notebooks ----------------------------------------------------------------------------------------------


def notebook(*cells: tuple[str, str, bool]) -> str:
    """A notebook of cells (type, source, whether nbgrader's metadata calls it a solution), with outputs."""
    made = []
    for number, (kind, source, solution) in enumerate(cells):
        cell: dict[str, object] = {"cell_type": kind, "id": f"cell{number}", "source": source.splitlines(True)}
        facts = {"schema_version": 3, "grade_id": f"g{number}", "locked": False, "task": False, "solution": True}
        marked_by_hand = {"grade": True, "points": 1} if kind == "markdown" else {"grade": False}
        cell["metadata"] = {"nbgrader": facts | marked_by_hand} if solution else {}
        if kind == "code":
            cell |= {"execution_count": 7, "outputs": [{"output_type": "stream", "name": "stdout", "text": ["42"]}]}
        made.append(cell)
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


CELLS = [
    ("markdown", "Some words.", False),
    ("markdown", "Why?\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION", True),
    ("code", "%matplotlib inline\n!ls\nx = 1\n### BEGIN SOLUTION\nx = 42\n### END SOLUTION\nprint(x)", True),
    ("code", "x = 42", True),
    ("markdown", "All of this.", True),
    ("code", "print(x)", False),
]


def _notebook(text: str) -> nbformat.NotebookNode:
    read: nbformat.NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    return read


def test_notebooks_are_cleared_as_nbgrader_clears_them() -> None:
    from nbgrader import preprocessors as steps

    text = notebook(*CELLS)
    theirs = _notebook(text)
    order = ("LockCells", "ClearSolutions", "ClearOutput", "ClearHiddenTests", "ClearMarkScheme", "ComputeChecksums")
    for step in order:
        theirs, _ = getattr(steps, step)().preprocess(theirs, {})
    ours = _notebook(clear_notebook(text, "n.ipynb"))
    nbformat.validate(ours)
    assert ours == theirs


def test_hidden_tests_and_marking_schemes_are_not_released() -> None:
    read = json.loads(
        notebook(("code", "x = 1\n### BEGIN HIDDEN TESTS\nassert f() == 42\n### END HIDDEN TESTS", True))
    )
    read["cells"][0]["metadata"]["nbgrader"] |= {"solution": False, "grade": True, "locked": True, "points": 1}
    task = {"schema_version": 3, "grade_id": "t", "locked": True, "task": True, "solution": False, "grade": False}
    text = "Draw.\n### BEGIN MARK SCHEME\nSay 43.\n### END MARK SCHEME"
    metadata = {"nbgrader": task | {"points": 2}}
    read["cells"].append({"cell_type": "markdown", "id": "task", "source": text, "metadata": metadata})
    cleared = json.loads(clear_notebook(json.dumps(read), "n.ipynb"))
    assert ["".join(cell["source"]) for cell in cleared["cells"]] == ["x = 1", "Draw."]
    assert cleared["cells"][0]["metadata"]["editable"] is False

    read["cells"][0]["source"] = "x = 1\n### BEGIN HIDDEN TESTS\nassert f() == 42"
    with pytest.raises(ReleaseError, match=r"^n\.ipynb: .*hidden tests") as caught:
        clear_notebook(json.dumps(read), "n.ipynb")
    assert "\n" not in str(caught.value)


def test_a_function_in_a_notebook_says_its_name() -> None:
    code = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    cells = json.loads(clear_notebook(notebook(("code", code, True)), "n.ipynb"))["cells"]
    assert 'raise NotImplementedError("f: not written yet")' in "".join(cells[0]["source"])
    assert cells[0]["outputs"] == [] and cells[0]["execution_count"] is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (notebook(("code", "x", False), ("markdown", "a\n### BEGIN SOLUTION", True)), r"^n\.ipynb, cell 2:2: "),
        ("[]", r"^n\.ipynb: is no notebook"),
        ("{", r"^n\.ipynb: is no notebook"),
    ],
)
def test_a_wrong_notebook_is_told_with_its_cell(text: str, complaint: str) -> None:
    with pytest.raises(ReleaseError, match=complaint):
        clear_notebook(text, "n.ipynb")


# --- a whole release ----------------------------------------------------------------------------------------

CONFTEST = """
import numpy as np

def pytest_addoption(parser):
    parser.addoption("--record")

def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0:
        np.savez(session.config.getoption("--record"), value=np.linspace(0, 1, 5))
"""

CATALOGUE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "yes"\nmsgstr "بله"\n'


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course with one assignment, hw9, in place of the kit's own; returns its root."""
    files = {
        "a.py": "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n",
        "n.ipynb": notebook(*CELLS),
        "grading/rubric.toml": "seed = 1\nprovided_modules = []\ncriteria = []\n[stubs]\nf = 'a'\n",
        "tests/conftest.py": CONFTEST,
        "tests/test_it.py": "def test_it():\n    pass\n",
        "locale/fa/LC_MESSAGES/hw9.po": CATALOGUE,
        ".hidden": "secret",
        "__pycache__/a.pyc": "secret",
    }
    for name, text in files.items():
        path = tmp_path / "solutions" / "hw9" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(releasing, "ROOT", tmp_path)
    monkeypatch.setattr(releasing, "SOURCES", tmp_path / "solutions")
    monkeypatch.setattr(releasing, "RELEASES", tmp_path / "assignment")
    return tmp_path


def run(*arguments: str) -> int:
    """``python -m autograder`` with these arguments, as far as the release is concerned."""
    parser = argparse.ArgumentParser()
    releasing.add_parser(parser.add_subparsers())
    args = parser.parse_args(["release", *arguments])
    return int(args.run(args))


def test_the_command_releases_and_checks(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = course / "assignment" / "hw9"
    assert run("--check") == 1
    assert "assignment/hw9/a.py: missing" in capsys.readouterr().err
    assert not target.exists()

    assert run() == 0
    names = {"a.py", "n.ipynb", "tests/conftest.py", "tests/test_it.py", "locale/fa/LC_MESSAGES/hw9.mo"}
    names |= {"tests/rubric.json"}
    assert {name for name in contents(target) if ".npz/" not in name} == names | {"tests/expected.npz"}
    assert [path.name for path in (course / "assignment").iterdir()] == ["hw9"]
    assert run("--check", "hw9") == 0
    capsys.readouterr()

    (target / "a.py").write_text("def f(): return 1\n")
    (target / "grading").mkdir()
    (target / "grading" / "rubric.toml").write_text("seed = 1\n")
    (target / "__pycache__").mkdir()
    (target / "__pycache__" / "a.pyc").write_bytes(b"made by running it")
    assert run("--check") == 1
    assert capsys.readouterr().err.splitlines() == [
        "assignment/hw9/a.py: changed; cure: make release",
        "assignment/hw9/grading/rubric.toml: unknown; cure: make release",
    ]


def test_stored_numbers_stay_unless_they_change(course: Path, tmp_path: Path) -> None:
    target = release(course / "solutions" / "hw9", course / "assignment" / "hw9")
    stored = target / "tests" / "expected.npz"
    built = shutil.copytree(target, tmp_path / "built")
    with np.load(stored) as archive:
        value = archive["value"]

    for other in ({"value": value + 0.01}, {"value": value[:4]}, {"value": value, "more": value}, {}):
        np.savez(stored, **other)
        assert differences(built, target) == ["tests/expected.npz: changed"]
    stored.write_bytes(b"no archive")
    assert differences(built, target) == ["tests/expected.npz: changed"]
    assert run() == 0
    with np.load(stored) as archive:
        np.testing.assert_array_equal(archive["value"], value)

    np.savez(stored, value=value * (1 + 1e-6))  # as another processor may round
    elsewhere = stored.read_bytes()
    assert differences(built, target) == []
    assert run() == 0
    assert stored.read_bytes() == elsewhere


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.py", "### BEGIN SOLUTION\n", "release: hw9/a.py:1: "),
        (
            "tests/test_it.py",
            "def test_it():\n    assert False\n",
            "release: the checks do not pass on the ref",
        ),
    ],
)
def test_a_release_that_fails_changes_nothing(
    course: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, complaint: str
) -> None:
    assert run() == 0
    before = contents(course / "assignment")
    (course / "solutions" / "hw9" / name).write_text(text)
    capsys.readouterr()
    assert run() == 2
    said = capsys.readouterr()
    assert said.err.startswith(complaint) and said.err.count("\n") == 1
    assert contents(course / "assignment") == before
    assert [path.name for path in (course / "assignment").iterdir()] == ["hw9"]


def test_an_unknown_assignment_is_told(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("hw7") == 2
    assert "hw7: there is no such folder" in capsys.readouterr().err


def test_catalogues_are_compiled_without_their_dates(course: Path) -> None:
    source = course / "solutions" / "hw9" / "locale" / "fa" / "LC_MESSAGES" / "hw9.po"
    translations = gettext.GNUTranslations(io.BytesIO(compiled(source)))
    assert translations.gettext("yes") == "بله"
    assert {key: value[:4] for key, value in translations.info().items() if key.endswith("-date")} == {
        "pot-creation-date": "1980",
        "po-revision-date": "1980",
    }


# --- nbgrader -----------------------------------------------------------------------------------------------


@pytest.fixture
def nbgrader_course(course: Path) -> Path:
    """The small course, with the kit's settings for nbgrader."""
    shutil.copyfile(ROOT / "nbgrader_config.py", course / "nbgrader_config.py")
    (course / "autograder").symlink_to(ROOT / "autograder")
    return course


@pytest.mark.slow
def test_nbgraders_own_command_makes_the_same_release(nbgrader_course: Path) -> None:
    done = python("-m", "nbgrader", "generate_assignment", "hw9", cwd=nbgrader_course)
    assert done.returncode == 0, done.stderr
    assert releasing.stale(nbgrader_course / "solutions" / "hw9", nbgrader_course / "assignment" / "hw9") == []


def test_nbgraders_command_leaves_no_solution_behind_when_it_fails(nbgrader_course: Path) -> None:
    config = PyFileConfigLoader("nbgrader_config.py", path=str(nbgrader_course)).load_config()
    target = nbgrader_course / "assignment" / "hw9"
    shutil.copytree(nbgrader_course / "solutions" / "hw9", target)  # as nbgrader does before it calls the hook
    (nbgrader_course / "solutions" / "hw9" / "a.py").write_text("### BEGIN SOLUTION\n")
    with pytest.raises(SystemExit, match=r"a\.py:1"):
        config.GenerateAssignment.post_convert_hook(assignment="hw9", student=".", notebooks=[])
    assert not target.exists()


@pytest.mark.parametrize(
    "rubric, told",
    [
        ("", "no criteria in it"),
        ("criteria = []", "no stubs in it"),
        ("criteria = []\n[stubs]\n", "no provided_modules in it"),
        ("[[criteria]]\npoints = 1\n", "no id in it; it needs provided_modules, stubs, and criteria with an id each"),
        ("criteria = 3", "is no rubric"),
        ('criteria = ["x"]', "is no rubric"),
        ("criteria = ", "is no rubric"),
    ],
)
def test_what_a_rubric_lacks_is_told_in_a_line(tmp_path: Path, rubric: str, told: str) -> None:
    source = tmp_path / "source" / "hw1"
    (source / "tests").mkdir(parents=True)
    (source / "tests" / "test_nothing.py").touch()
    (source / "grading").mkdir()
    (source / "grading" / "rubric.toml").write_text(rubric, "utf-8")
    with pytest.raises(ReleaseError, match=told) as caught:
        releasing.build(source, tmp_path / "built")
    assert "\n" not in str(caught.value) and "rubric.toml" in str(caught.value)
