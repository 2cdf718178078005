"""The table that chooses: whatever it names is there, and each ratio is of a benchmark."""

from __future__ import annotations

import re

import nbformat
import pytest

from classroom.chooser import CHOICES, COLUMNS, Choice, Figure, choices
from tests.paths import ROOT


@pytest.mark.parametrize("choice", CHOICES, ids=[choice.take for choice in CHOICES])
def test_a_choice_names_sections_that_there_are(choice: Choice) -> None:
    book = nbformat.read(ROOT / "notebooks" / "06_best_tool.ipynb", as_version=4)
    numbers = re.findall(r"^## (\d+)\. ", "\n".join(c.source for c in book.cells), re.MULTILINE)
    assert choice.sections and {*map(str, choice.sections)} <= {*numbers}


@pytest.mark.parametrize("choice", CHOICES, ids=[choice.take for choice in CHOICES])
def test_a_choice_has_its_ratio_from_a_benchmark(choice: Choice) -> None:
    assert (ROOT / "benchmarks" / f"{choice.figure.name}.py").is_file()
    assert re.match(r"[\d.]+ × ", str(choice.figure)), choice.figure


def test_what_was_not_measured_is_said_in_the_place_of_a_ratio() -> None:
    nothing = Figure("clients", "on the moon", "raw curl", "cpu_us", "{} ×")
    assert str(nothing).startswith("nothing was measured as 'on the moon'")
    assert str(nothing._replace(name="nobody")).endswith("workshop.py bench nobody")


def test_all_of_it_stands_in_the_table_and_in_the_text() -> None:
    html, text = choices()._repr_html_(), str(choices())
    assert html.count('<th scope="col"') == len(COLUMNS)
    assert html.count("<tr>") == len(CHOICES) + 1
    for choice in CHOICES:
        assert choice.take in text and f"<strong>{choice.take}" in html.replace("&#x27;", "'")
