"""Each prediction of the core has a poll, and what a run says is one of its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.lessons import BOOKS, Item, core
from tests.paths import ROOT

POLLS = (ROOT / "notebooks" / "polls.md").read_text(encoding="utf-8")


class Poll(NamedTuple):
    """A poll: the notebook and section, the name of the prediction, its options."""

    book: str
    section: str
    name: str
    question: str
    options: dict[str, str]


def polls() -> list[Poll]:
    found = []
    for book, section, name, text in re.findall(
        r"^### (0\d), section (\d+): `(\w+)`\n\n```text\n(.*?)\n```$", POLLS, re.DOTALL | re.M
    ):
        options = dict(re.findall(r"^([A-D])\) (.+)$", text, re.MULTILINE))
        found.append(Poll(book, section, name, text.partition("\nA) ")[0], options))
    return found


def predictions() -> Iterator[tuple[str, str, str, str]]:
    """Each prediction that everybody makes: its notebook, section and name, and what it was."""
    for book in BOOKS:
        for item in core(book):
            for cell in item.cells:
                asked = re.match(r"(\w+) = predict\(\.\.\.", cell.source)
                if cell.cell_type == "code" and asked:
                    yield book, item.name, asked[1], outcome(item, asked[1])


def outcome(item: Item, name: str) -> str:
    """What a run says that a prediction should have been, as it stands in the notebook."""
    [printed] = [
        output.text
        for cell in item.cells
        if cell.cell_type == "code" and f"{name}.compare(" in cell.source
        for output in cell.outputs
        if output.output_type == "stream" and output.text.startswith("It was: ")
    ]
    return str(printed).removeprefix("It was: ").strip()


def test_each_prediction_has_its_poll_in_its_place() -> None:
    asked = [each[:3] for each in predictions()]
    assert len(asked) > 50
    assert [poll[:3] for poll in polls()] == asked
    assert len(polls()) == POLLS.count("\n### ")


def test_what_a_run_says_is_one_of_two_to_four_options() -> None:
    for poll, (*_, found) in zip(polls(), predictions(), strict=True):
        assert 2 <= len(poll.options) <= 4, poll
        assert [*poll.options] == [*"ABCD"[: len(poll.options)]], poll
        assert len({*poll.options.values()}) == len(poll.options), poll
        said = found.replace("nothing", "0") if poll.options["A"].isdigit() else found
        assert said in poll.options.values(), (poll, found)


def test_no_letter_is_right_more_often_than_chance_would_have_it() -> None:
    right = [
        next(letter for letter, option in poll.options.items() if option == found)
        for poll, (*_, found) in zip(polls(), predictions(), strict=True)
    ]
    for letter in "ABC":
        assert len(right) / 6 < right.count(letter) < len(right) / 2, (letter, right)


def test_a_poll_fits_into_a_chat() -> None:
    for poll in polls():
        assert len(poll.question) <= 300, poll
        assert "?" in poll.question or poll.question.endswith(":"), poll
        assert all(len(line) <= 96 for line in poll.question.splitlines()), poll
