"""The benchmark of those who wait: all are told, and what cannot be measured is refused."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from benchmarks import waiting
from benchmarks._shared import rooms
from benchmarks._shared.report import result_file
from classroom.measured import result
from classroom.measuring.people.crowd import Crowd, Ears, Trouble
from classroom.measuring.people.dialects import Plain
from classroom.measuring.program import Program, program
from classroom.measuring.rounds import Refused

PEOPLE = 5
# Seconds that no machine is too busy for.
LONG = 500.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "FIRST", 2)
    monkeypatch.setattr(waiting, "FIRST", 2)
    monkeypatch.setattr(rooms, "HEARING", LONG)
    monkeypatch.setattr(waiting, "JOINING", LONG)
    # What a few people cost is nothing, and a busy machine measures what it likes.
    monkeypatch.setattr(rooms, "TOO_BUSY", math.inf)


def test_all_who_wait_are_told_by_each_server() -> None:
    before = psutil.Process().children()
    rows = waiting.measure(PEOPLE, rounds=1)
    assert [(row["group"], row["mode"]) for row in rows] == [
        (way, mode) for way, modes in waiting.ROOMS.items() for mode in modes
    ]
    for row in rows:
        assert "refused" not in row, row
        if "left_out" not in row:
            assert {*waiting.COSTS, *waiting.TIMES} < row.keys()
            assert row["telling_seconds"]["median"] > 0
    assert psutil.Process().children() == before


def test_what_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "served", lambda _: program("benchmarks._shared.paths"))
    (first, *rest) = waiting.measure(PEOPLE, rounds=1)
    assert first == {
        "group": waiting.POLLS,
        "mode": waiting.BASELINE,
        "left_out": "benchmarks._shared.paths did not start",
    }
    assert all("left_out" in row for row in rest)


def test_a_server_that_knows_no_such_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        waiting,
        "served",
        lambda _: program("stormy_demo.backend", "--port=0", "--logging=none"),
    )
    for way, why in (
        (waiting.POLLS, "GET /waiting: 400 Bad Request"),
        (waiting.SOCKETS, "400 Bad"),
    ):
        with pytest.raises(Refused, match=why):
            waiting.wait(way, "nobody", PEOPLE)


# -- what both benchmarks of rooms share -------------------------------------------------------


@contextmanager
def some_server() -> Iterator[Program]:
    with rooms.served("tornado_room") as server:
        yield server


def test_who_is_busier_than_the_server_says_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rooms, "TOO_BUSY", 0)
    with (
        some_server() as server,
        pytest.raises(Refused, match=r"^the people were busy for \d+% of the time"),
        rooms.effort(server),
    ):
        time.thread_time_ns()


def test_what_comes_again_is_not_heard() -> None:
    crowd = Crowd(Ears(), 1, Plain())
    rooms.heard(crowd)
    crowd.twice = 3
    with pytest.raises(Trouble, match=r"^a message came again, 3 times in all$"):
        rooms.heard(crowd)


def test_what_people_have_not_heard_is_no_effort() -> None:
    with (
        some_server() as server,
        pytest.raises(Refused, match=r"^nobody is there$"),
        rooms.effort(server),
    ):
        raise Trouble("nobody is there")


@pytest.mark.parametrize(
    ("limit", "fit", "why"),
    [
        (math.inf, 1000, ""),
        (65_536, 1000, ""),
        (1024, 131, "131 people and not 1000: a process may open 1024 descriptors only"),
    ],
)
def test_where_few_files_may_be_open_there_are_fewer_people(
    limit: float, fit: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "FIRST", 100)
    monkeypatch.setattr(rooms, "allow_open_files", lambda: limit)
    monkeypatch.setattr(sys, "platform", "linux")
    assert rooms.that_fit(1000, rooms=4, each=2) == (fit, why)


@pytest.mark.parametrize(("platform", "limit"), [("linux", 256), ("win32", math.inf)])
def test_where_nobody_fits_nothing_is_measured(
    platform: str, limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "FIRST", 100)
    monkeypatch.setattr(rooms, "allow_open_files", lambda: limit)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SystemExit, match="descriptors only, which are too few for a room"):
        rooms.that_fit(1000, rooms=4, each=2)


# -- what is kept ------------------------------------------------------------------------------


def test_a_quick_run_keeps_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {name: {"median": 14_000.0} for name in (*waiting.COSTS, *waiting.TIMES)}
    rows = [
        {"group": way, "mode": mode, **figures}
        for way, modes in waiting.ROOMS.items()
        for mode in modes
    ]
    monkeypatch.setattr(waiting, "measure", lambda *_: rows)
    monkeypatch.setattr(sys, "argv", ["waiting", "--quick"])
    before = result_file("waiting").read_bytes()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        waiting.main()
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert result_file("waiting").read_bytes() == before
    told = capsys.readouterr().out
    assert told.count("14000") == 2 * 3 * 5
    assert told.startswith(f"{waiting.QUICK_PEOPLE} long polls\n")


def test_what_is_kept_is_what_is_measured() -> None:
    kept = result("waiting")
    assert kept.groups == list(waiting.ROOMS)
    for way, modes in waiting.ROOMS.items():
        assert kept.modes(way) == list(modes)
        assert kept.figures(way) == [*waiting.COSTS, *waiting.TIMES]
        assert not any(kept.why_not(way, mode) for mode in modes)
