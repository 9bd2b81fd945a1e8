"""Every attack of the corpus ends as it must, whoever grades it and whatever the machine lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("untrusted work is graded on Linux", allow_module_level=True)

from autograder.contestant import seccomp
from autograder.contestant.escapes import LACKS
from autograder.contestant.lockdown import available, shortfall
from tests import hostility
from tests.hostility import HOSTILE, LOCKED_OUT, NOT_TO_BE_HAD, TREES, Attack, Machine, Seen, corpus

NOBODY = 65534
THOSE_IT_LOCKS_OUT = [f"--theme={theme}" for theme in LOCKED_OUT]

CONFIGURATIONS = {
    "as whoever runs the tests": [],
    # What the judge decides by itself does not hang on who runs it, nor on what the machine has.
    "without user namespaces": ["--without=namespaces", *THOSE_IT_LOCKS_OUT],
    "as an ordinary user": [f"--user={NOBODY}", *THOSE_IT_LOCKS_OUT],
    "as an ordinary user without user namespaces": [f"--user={NOBODY}", "--without=namespaces", *THOSE_IT_LOCKS_OUT],
}


def lacking(options: list[str]) -> list[str]:
    """What of the lockdown is needed and not to be had with these options."""
    lacks = [name for name in LACKS if f"--without={name}" in options]
    return shortfall(available(lambda: seccomp.install([rule for name in lacks for rule in LACKS[name]] or [])))


@pytest.mark.slow
@pytest.mark.parametrize("options", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_attack_ends_as_expected(options: list[str]) -> None:
    if problem := lacking(options):
        pytest.skip(f"this machine cannot lock down: {'; '.join(problem)}")
    if f"--user={NOBODY}" in options and os.geteuid() != 0:
        pytest.skip("only root can become somebody else; the other configurations ran as an ordinary user")
    command = [sys.executable, "-m", "tests.hostility", *options]
    done = subprocess.run(command, cwd=HOSTILE.parents[1], capture_output=True, text=True, check=False)
    if done.returncode == NOT_TO_BE_HAD:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr


WON_WITHOUT_A_LOCKDOWN = {"reference_read", "checks_read", "rubric_read", "judge_read", "system_read", "proc_read"}


@pytest.mark.slow
def test_attacks_win_where_nothing_is_locked(tmp_path: Path) -> None:
    """Attacks that fail by themselves would prove nothing."""
    machine = Machine(hostility.copy_of_the_kit(tmp_path / "kit"), isolation="none")
    attacks = [attack for attack in corpus() if attack.name in WON_WITHOUT_A_LOCKDOWN]
    seen, harmed = hostility.run(attacks, tmp_path / "classes", machine, 1)
    assert {row.attack.name for row in seen if "raised Loot" in row.told} == WON_WITHOUT_A_LOCKDOWN
    assert harmed == []


def test_the_corpus_is_large_and_whole() -> None:
    attacks = corpus()
    assert len(attacks) >= 80
    assert max(Counter(attack.name for attack in attacks).values()) == 1
    written = {path.relative_to(HOSTILE).with_suffix("").as_posix() for path in HOSTILE.rglob("*.py")}
    told = {f"{a.stub}/{a.theme}/{a.name}" for a in attacks if a.theme != "trees"}
    assert written == told
    assert {attack.name for attack in attacks if attack.theme == "trees"} == set(TREES)
    assert all(attack.expected for attack in attacks)
    assert set(LOCKED_OUT) <= {attack.theme for attack in attacks}


@pytest.mark.parametrize(
    ("expected", "told", "wrong", "held"),
    [
        ("twin", "twin: wrong", (), True),
        ("twin", "passed", (), False),
        ("twin or error: died", "error: it died", (), True),
        ("twin or error: died", "error: it raised", (), False),
        ("timeout", "timeout: x", ("gained fgsm.step",), False),
    ],
)
def test_what_counts_as_held(expected: str, told: str, wrong: tuple[str, ...], held: bool) -> None:
    assert Seen(Attack("a", "fgsm_attack", "ending", expected), told, wrong).held is held
