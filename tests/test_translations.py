"""Whatever the checks and the judge tell a student they can tell in Persian, and nothing there is out of use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from autograder.translations import percent

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = {
    "hw1": ("solutions/hw1", "solutions/hw1/locale/fa/LC_MESSAGES/hw1.po"),
    "judge": ("autograder/judge", "report_template/locale/fa/LC_MESSAGES/judge.po"),
}


@pytest.mark.parametrize("code, catalogue", CATALOGUES.values(), ids=CATALOGUES)
def test_every_message_has_its_persian_and_no_other_is_there(code: str, catalogue: str) -> None:
    said = {
        found[2] for found in extract_from_dir(ROOT / code, method_map=[("**.py", "python")], keywords={"N_": None})
    }
    with (ROOT / catalogue).open("rb") as file:
        stored = {str(message.id): str(message.string) for message in read_po(file) if message.id}
    assert len(said) > 5 and set(stored) == said
    for english, persian in stored.items():
        assert persian, english
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", persian)), english


def test_percentages_are_written_in_the_languages_own_digits() -> None:
    assert (percent(0.612, "en"), percent(0.612, "fa")) == ("61.2%", "۶۱٫۲٪")
