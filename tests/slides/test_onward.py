"""The last line of a part, which leads on to a notebook."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from slides.making.onward import NO_BREAK, Onward


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """A folder with one notebook, of two sections."""
    cells = [
        v4.new_markdown_cell(source, id=name)
        for name, source in (
            ("top", "# A lesson"),
            ("first", "## 1. Wait (5 min)"),
            ("second", "## 2. Go on (5 min)"),
        )
    ]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "01_waiting.ipynb")
    return tmp_path


def said_by(onward: Onward, source: str) -> str:
    """Return a line, with all of its spaces alike."""
    return onward.line(source).replace(NO_BREAK, " ")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("`notebooks/01_waiting.ipynb`, 1", "`notebooks/01_waiting.ipynb`, section 1"),
        ("`01_waiting`, 1 and 2", "`01_waiting`, sections 1 and 2"),
        ("`01_waiting`, 1, 2 and 5", "`01_waiting`, sections 1, 2 and 5"),
        ("`01_waiting`, 2 to 5", "`01_waiting`, sections 2 to 5"),
    ],
)
def test_a_number_is_that_of_a_section(said: str, words: str) -> None:
    assert said_by(Onward(None), f"goes on in {said}") == f"goes on in {words}"


def test_no_number_stands_alone_on_the_next_line() -> None:
    name, sections = Onward(None).line("`01_waiting`, 1, 2 and 5").split(" ")
    assert name == "`01_waiting`,"
    assert sections.split(NO_BREAK) == ["sections", "1,", "2", "and", "5"]


def test_beside_the_pages_it_leads_to_the_first_section_that_is_named(notebooks: Path) -> None:
    line = said_by(Onward(notebooks), "goes on in `01_waiting`, 2 and 1")
    [(words, page, section)] = re.findall(r"\[(.+?)\]\((.+?)#(.+?)\)", line)
    assert (words, page) == ("`01_waiting`, sections 2 and 1", "notebooks/01_waiting.html")
    assert section == "second"


def test_what_is_not_there_is_named_and_leads_nowhere(notebooks: Path) -> None:
    onward = Onward(notebooks)
    assert said_by(onward, "`01_waiting`, 7") == "`01_waiting`, section 7"
    assert said_by(onward, "`02_gone`, 1, and `01_waiting`, 1") == (
        "`02_gone`, section 1, and [`01_waiting`, section 1](notebooks/01_waiting.html#first)"
    )


def test_other_words_stay_as_they_are(notebooks: Path) -> None:
    for line in ("[the routes](#/routes)", "`await`, and then 2", "no. 3, of 4"):
        assert Onward(notebooks).line(line) == line
