"""What a film says as a table: who held the loop, and what everybody waited for."""

from __future__ import annotations

import asyncio
import time

import pytest

from loopfilm import Film, film
from loopfilm.entries import Hold, Wait
from loopfilm.lettering import columns
from loopfilm.table import MOST_LINES, table
from tests.loopfilm.servers import recorded, request


def test_it_stands_there_as_it_is_printed() -> None:
    text = table(
        "ada and grace: 2 at once. grace held the loop.",
        [Hold("grace", 0.5, 1.0, "server.py:12", "time.sleep(1)")],
        [Wait("ada", 0.25, 12.3456, "server.py:10", "asyncio.sleep(12)")],
    )
    assert repr(text) == str(text)
    assert text.splitlines() == [
        "ada and grace: 2 at once. grace held the loop.",
        "",
        "who     from  seconds  did what       where",
        "ada    0.250   12.346  waited         server.py:10, asyncio.sleep(12)",
        "grace  0.500    1.000  held the loop  server.py:12, time.sleep(1)",
    ]


def test_a_film_gives_it() -> None:
    async def experiment() -> Film:
        with film(red=0.01) as f:
            await asyncio.create_task(hold(), name="hold")
        return f

    async def hold() -> None:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    f = asyncio.run(experiment())
    lines = str(f.table()).splitlines()
    assert lines[0] == str(f) == "hold: alone. hold held the loop."
    assert "held the loop  test_table.py:" in next(li for li in lines if li.startswith("hold "))


def test_a_film_in_which_nothing_lasted_is_a_sentence() -> None:
    f = recorded((request("ada", finished=0.2), 0.1, 0.2))
    assert f.table() == str(f) == "ada: alone. Nobody held the loop."


def test_other_work_that_held_the_loop_is_said_above_the_table_too() -> None:
    f = recorded((request("ada", finished=0.2), 0.1, 0.2), (None, 1, 2))
    first, *_, last = f.table().splitlines()
    assert first == "ada: alone. Only other work held the loop."
    assert " ".join(last.split()) == "other work 1.000 1.000 held the loop nobody saw where"


def test_where_a_library_was_stands_behind_the_line_that_called_it() -> None:
    hold = Hold("ada", 0, 1, "a.py:1", "get(url)", "adapters.py:5, connect()")
    assert table("", [hold], []).endswith("a.py:1, get(url) (adapters.py:5, connect())")


def test_of_many_lines_the_longest_are_there_and_who_held_the_loop_comes_first() -> None:
    holds = [Hold("ada", n, 1 + n / 1000) for n in range(50)]
    waits = [Wait("grace", n + 0.5, 1 + n / 1000) for n in range(1000)]
    lines = table("", holds, waits).splitlines()
    assert len(lines) == 3 + MOST_LINES + 1
    assert sum("held the loop" in line for line in lines) == 50
    waited = [line.split()[1] for line in lines if line.startswith("grace")]
    assert waited == [f"{n + 0.5:.3f}" for n in range(990, 1000)]
    assert lines[-1] == "and 990 more that waited, none of them longer"


def test_what_is_left_out_is_counted_for_each_kind() -> None:
    holds = [Hold("ada", n, 1) for n in range(100)]
    lines = table("", holds, [Wait("ada", 0, 1)]).splitlines()
    assert lines[-2:] == [
        "and 40 more that held the loop, none of them longer",
        "and 1 more that waited",
    ]


@pytest.mark.parametrize(
    "name", ["<b>", "two\nlines\x1b[31m", "\u65e5\u672c\u8a9e", "e\u0301te\u0301", "x" * 500]
)
def test_a_name_of_any_letters_leaves_the_columns_where_they_are(name: str) -> None:
    text = table(f"{name}: alone.", [Hold(name, 0, 1), Hold("ada", 2, 3)], [])
    assert text.isprintable() is False and text.count("\n") == 4
    assert (columns("\u65e5\u672c"), columns("e\u0301")) == (4, 1)
    head, *lines = text.splitlines()[2:]
    place = columns(head.partition("did what")[0])
    assert {columns(line.partition("held")[0]) for line in lines} == {place}
    assert place < 80
