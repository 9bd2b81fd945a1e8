"""The checks ask for all that the references do: every small change of a stub loses a point of it through the judge,
or is listed in `mutants.toml` with the reason why no check may see it.
"""

from __future__ import annotations

import ast
import gc
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.assignment import Assignment, Line, load
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants
from autograder.results import Criterion
from tests.mutation import KINDS, Mutant, mutants

EQUIVALENT: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("mutants.toml").read_text(encoding="utf-8")
)


def mutants_of(assignment: Assignment) -> Iterator[Mutant]:
    """The mutants of every stub of the assignment."""
    for module in dict.fromkeys(assignment.stubs.values()):
        path = assignment.folder / f"{module}.py"
        stubs = [stub for stub, home in assignment.stubs.items() if home == module]
        yield from mutants(path.read_text(encoding="utf-8"), path.name, stubs)


MUTANTS = list(mutants_of(load()))


@pytest.fixture(scope="module", autouse=True)
def settled_heap() -> Iterator[None]:
    """Every run of pytest ends with full garbage collections; they need not walk through all of torch each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def losses(
    tmp_path: Path,
    assignment: Assignment,
    judge: Judge,
    contestants: Contestants,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Mutant], list[Criterion]]:
    """Judges a mutant, up to the first criterion that it loses: that one, or none."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--exitfirst")  # read by the pytest that the judge starts

    def judged(mutant: Mutant) -> list[Criterion]:
        package = tmp_path / assignment.name
        package.mkdir()
        (package / "__init__.py").touch()
        (package / f"{assignment.stubs[mutant.stub]}.py").write_text(mutant.code, encoding="utf-8")

        def lost(lines: list[Line]) -> list[Criterion]:
            criteria, faults = judge.check(
                lambda: contestants.start(tmp_path, assignment.name, assignment.stubs),
                only=lambda line: line in lines,
            )
            lost = [criterion for criterion in criteria if criterion.status in ("failed", "error", "timeout")]
            if not lost:  # then nothing was left out
                assert faults == [] and {criterion.status for criterion in criteria} == {"passed"}
            return lost

        # What most points are given for loses them most often.
        lines = [line for line in assignment.lines if line.stub == mutant.stub and line.kind == "unit"]
        lines.sort(key=lambda line: -line.points)
        return lost(lines[:1]) or lost(lines[1:])

    return judged


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [pytest.param(mutant, id=f"{mutant.stub}-{mutant.id}") for mutant in MUTANTS])
def test_mutants_lose_a_point_or_are_listed(mutant: Mutant, losses: Callable[[Mutant], list[Criterion]]) -> None:
    lost, reason = losses(mutant), EQUIVALENT.get(mutant.stub, {}).get(mutant.id)
    assert lost or reason, "no check sees this change: make one better, or list it with the reason why none may"
    assert not (lost and reason), f"{lost[0].id} sees this change, so it is not equivalent: take it off the list"


def test_listed_mutants_exist_and_have_a_reason() -> None:
    listed = {(stub, id) for stub, reasons in EQUIVALENT.items() for id in reasons}
    assert listed <= {(mutant.stub, mutant.id) for mutant in MUTANTS}
    assert all(reason.endswith(".") for reasons in EQUIVALENT.values() for reason in reasons.values())


@pytest.mark.parametrize(
    "kind, code, changed",
    [
        ("operator", "a - b", ["a + b", "a * b", "a", "b", "b - a"]),
        ("operator", "a and b", ["a or b", "b", "a"]),
        ("operator", "a < b", ["a <= b", "a >= b", "a != b"]),
        ("operator", "~a", ["a"]),
        ("constant", "3", ["4", "2", "-3", "6", "0"]),
        ("constant", "0.5", ["1.5", "-0.5", "1.0", "0"]),
        ("constant", "True", ["False"]),
        ("constant", "'a'", ["'ax'", "''"]),
        ("dropped", "x = f(x)", ["pass"]),
        ("dropped", "with no_grad():\n    f()", ["pass", "if True:\n    f()"]),
        ("dropped", "@cache\ndef f():\n    g()", ["pass", "def f():\n    g()"]),
        ("argument", "f(a, b)", ["f(b)", "f(a)", "f(b, a)"]),
        ("argument", "f(a=1, b=2)", ["f(b=2)", "f(a=1)", "f(a=2, b=1)"]),
        ("call", "x.clamp(a, max=b)", ["a", "b", "x"]),
        ("condition", "a if b else c", ["a if not b else c", "a if True else c", "a if False else c"]),
        ("condition", "if a:\n    f()", ["if not a:\n    f()", "if True:\n    f()", "if False:\n    f()"]),
        ("loop", "range(n)", ["range(n + 1)", "range(n - 1)"]),
        ("loop", "for i in a:\n    f()", ["for i in a:\n    f()\n    break"]),
        ("index", "a[i]", ["a"]),
        ("index", "(a, b)", ["(b,)", "(a,)", "(b, a)"]),
        ("name", "x.softmax", ["x.log_softmax"]),
        ("name", "max", ["min", "mean"]),
    ],
)
def test_kinds_of_change(kind: str, code: str, changed: list[str]) -> None:
    statement = ast.parse(code).body[0]
    node = statement.value if isinstance(statement, ast.Expr) else statement
    assert [ast.unparse(ast.fix_missing_locations(other)) for other in KINDS[kind](node)] == changed


MODULE = '''
### BEGIN SOLUTION
def half(x: int) -> float:
    """Half of it."""
    return x[1:]
### END SOLUTION

class Stub:
    def __init__(self, m: float = True) -> None:
        self.m = half(m)

    def call(self, n: int) -> None:
        k = self.m
        for _ in n:
            k = n

def provided(x):
    return x + 1
'''


def test_mutants_of_a_module() -> None:
    """Of the stub and of what it uses between the marks, but of nothing else; each has a name of its own."""
    found = mutants(MODULE, "module.py", ["Stub"])
    assert {mutant.stub for mutant in found} == {"Stub"}
    assert all("x + 1" in mutant.code and '"""Half of it."""' in mutant.code for mutant in found)
    ids = [mutant.id for mutant in found]
    assert len(set(ids)) == len(ids) == len({mutant.code for mutant in found})
    assert {
        "half: dropped: return x[1:]",
        "half: index: return x",
        "half: index: return x[:]",
        "half: index: return x[1:-1]",
        "Stub.__init__: constant: def __init__(self, m: float=False) -> None:",
        "Stub.__init__: argument: def __init__(self, m: float) -> None:",
        "Stub.call: variable: k = k",
        "Stub.call: loop: for _ in n:",
    } <= set(ids)
    with pytest.raises(ValueError, match=r"module\.py:2: only"):
        mutants("### BEGIN SOLUTION\nX = 1\n### END SOLUTION\ndef stub(): return X", "module.py", ["stub"])
