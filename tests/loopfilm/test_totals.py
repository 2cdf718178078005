"""Times that are added up read as what they are; many short steps are told, too."""

from __future__ import annotations

import pytest

from loopfilm.totals import in_seconds, many_short
from tests.loopfilm.servers import recorded, request


@pytest.mark.parametrize(
    ("seconds", "red", "words"),
    [
        (0.2521, 0.25, "0.252 s"),
        (0.25004, 0.25, "0.25004 s"),
        (1.04, 1, "1.040 s"),
        (0.034, 0.25, "0.034 s"),
        (1.23, 0.25, "1.2 s"),
        (0.2, 0.25, "0.2 s"),
    ],
)
def test_what_is_longer_than_the_limit_does_not_read_as_if_it_were_not(
    seconds: float, red: float, words: str
) -> None:
    assert in_seconds(seconds, red) == words


def test_many_short_steps_keep_the_loop_busy() -> None:
    ada = request("ada")
    steps = [(ada, number / 10, (number + 1) / 10) for number in range(60)]
    assert many_short(recorded(*steps), "--red ") == (
        "No step was longer than 0.25 s, but the loop was busy for 6.0 of 10.0 s;"
        " the longest step took 0.1 s. --red 0.05 shows them."
    )


def test_a_step_within_another_is_not_counted_twice() -> None:
    ada = request("ada")
    steps = [(ada, number / 5, number / 5 + 0.1) for number in range(40)]
    assert many_short(recorded(*steps, *steps), "--red ") == ""


def test_a_loop_that_somebody_held_is_told_in_another_way() -> None:
    assert many_short(recorded((request("ada"), 0.0, 9.0)), "--red ") == ""
