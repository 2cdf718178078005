"""A film as a trace, in the format that Perfetto and chrome://tracing read."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from loopfilm import Film
from loopfilm.record import Wait
from tests.loopfilm.servers import recorded, request

# What each type of event must have, by the description of the format.
REQUIRED = {"X": {"name", "ph", "ts", "dur", "pid", "tid"}, "M": {"name", "ph", "pid", "args"}}


def events(f: Film, phase: str) -> list[dict[str, Any]]:
    written = json.loads(f.trace())
    assert written["displayTimeUnit"] in ("ms", "ns")
    for event in written["traceEvents"]:
        assert set(event) >= REQUIRED[event["ph"]]
    return [event for event in written["traceEvents"] if event["ph"] == phase]


def of_three() -> Film:
    ada, grace = request("ada", finished=9), request("grace", finished=9)
    f = recorded((ada, 1, 1.1), (None, 1.2, 1.3), (grace, 2, 4), (ada, 5, 5.1))
    f.record.waits.append(Wait(ada, 1.1, 5, None))
    return f


def rows(f: Film) -> dict[int, str]:
    named = [each for each in events(f, "M") if each["name"] == "thread_name"]
    return {each["tid"]: each["args"]["name"] for each in named}


def test_each_step_and_each_pause_is_an_event_in_microseconds() -> None:
    f = of_three()
    names = rows(f)
    assert [
        (names[each["tid"]], each["name"], each["ts"], each["dur"]) for each in events(f, "X")
    ] == [
        ("ada", "has the thread", 1_000_000, 100_000),
        ("other work", "has the thread", 1_200_000, 100_000),
        ("grace", "held the loop", 2_000_000, 2_000_000),
        ("ada", "has the thread", 5_000_000, 100_000),
        ("ada", "waits", 1_100_000, 3_900_000),
    ]


def test_the_rows_are_in_the_order_of_the_picture() -> None:
    f = of_three()
    order = [each for each in events(f, "M") if each["name"] == "thread_sort_index"]
    by_place = sorted(order, key=lambda each: int(each["args"]["sort_index"]))
    assert [rows(f)[each["tid"]] for each in by_place] == ["ada", "grace", "other work"]


def test_a_lane_that_is_called_other_work_has_a_row_of_its_own() -> None:
    f = recorded((request("other work"), 1, 1.1), (None, 2, 2.1))
    assert list(rows(f).values()) == ["other work", "other work"]


def test_no_event_of_a_row_begins_before_the_one_before_has_ended() -> None:
    ada, at = request("ada"), 0.1
    steps, waits = [], []
    for n in range(1000):
        end = at + 1 / (n + 7)
        steps.append((ada, at, end))
        at = end + 1 / (n + 3)
        waits.append(Wait(ada, end, at, None))
    f = recorded(*steps, ended=100)
    f.record.waits += waits
    times = sorted((round(e["ts"] * 1000), round(e["dur"] * 1000)) for e in events(f, "X"))
    assert len(times) == 2000
    assert all(start + length <= after for (start, length), (after, _) in pairwise(times))


def test_names_of_any_letters_are_json() -> None:
    f = recorded((request('<b>"\0\n\ud800'), 1, 2))
    assert list(rows(f).values()) == f.lanes
