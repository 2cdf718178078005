"""Who lacked a processor is not to blame, and who slept is."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tornado.web import Application, RequestHandler

from loopfilm import Film, steps
from loopfilm.processor import Processor, Scheduled
from loopfilm.record import Long, Wait
from loopfilm.where import Place, Point
from tests.loopfilm.servers import HANGS, LONG, clock, recorded, request, watch


@pytest.mark.parametrize(
    ("ran", "lacked", "held"),
    [
        (0.0, 0.0, ["ada"]),  # it slept
        (0.6, 0.0, ["ada"]),  # it computed
        (0.01, 0.58, []),  # it stood in line
        (0.3, 0.3, ["ada"]),  # it computed, and stood in line half of the time
        (0.2, 0.4, []),  # what it computed is short
        (0.01, 0.4, ["ada"]),  # it slept, and part of what it waited for passed in line
    ],
)
def test_of_a_step_of_six_tenths_of_a_second(
    ran: float, lacked: float, held: list[str]
) -> None:
    f = recorded((request("ada"), 1.0, 1.6))
    lacked, slept = Scheduled(5 + ran, 7 + lacked).since(Scheduled(5, 7), 0.6)
    f.record.long[1.0] = Long(lacked, slept=slept)
    assert f.held == held


def test_more_than_the_step_can_have_lacked_is_of_before_it() -> None:
    assert Scheduled(0.0, 9.0).since(Scheduled(0.0, 0.0), 0.5) == (0.5, 0.0)


@pytest.mark.usefixtures("measured_by_hand")
def test_who_loses_the_processor_as_a_step_ends_held_the_loop_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What passes before the system is asked is not of the step."""
    to_lose, lost = list[float](), list[float]()

    class Blocks(RequestHandler):
        def get(self) -> None:
            clock.block()
            to_lose.append(LONG)

    def asked_late(_: Processor) -> Scheduled:
        lost.append(to_lose.pop() if to_lose else 0.0)
        clock.block(lost[-1])
        return Scheduled(0.0, sum(lost))

    monkeypatch.setattr(Processor, "scheduled", asked_late)
    assert watch(Application([("/", Blocks)]), ["/?user=ada"]).held == ["ada"]


def place(line: int, caller: int | None = None) -> Place:
    code = place.__code__
    return Place(Point(code, line, 0), None, None if caller is None else Point(code, caller, 0))


def test_a_call_that_was_seen_once_has_all_the_time_in_which_nobody_could_look() -> None:
    f = recorded((request("ada"), 1.0, 1.6))
    looks = place(1), place(1), place(2)
    f.record.long[1.0] = Long(places=looks, shares=(0.05, 0.05, 0.5))
    assert f.held_at[0].line == "test_processor.py:2"
    f.record.long[1.0] = Long(places=looks)
    assert f.held_at[0].line == "test_processor.py:1"


def test_a_hold_says_from_where_it_came_and_how_long_it_was_by_the_clock() -> None:
    f = recorded((request("ada"), 1.0, 3.0))
    f.record.long[1.0] = Long(1.5, (place(1, caller=7),), slept=0.4)
    said = str(f.held_at[0])
    assert said.startswith(
        "ada held the loop for 0.5 s (2.0 s by the clock): test_processor.py:1"
    )
    assert "(from test_processor.py:7, " in said


def test_who_waits_while_the_loop_is_held_is_told_for_how_long() -> None:
    ada, grace = request("ada"), request("grace")
    f = recorded((grace, 0.5, 0.6), (ada, 1.0, 3.0), (grace, 3.5, 3.6))
    f.record.waits.append(Wait(grace, 0.6, 3.5, None))
    [wait] = f.waits
    assert wait.held == pytest.approx(2.0)
    assert "(the loop was held for 2.000 s of it)" in f.table()


class Sleeps(RequestHandler):
    def get(self) -> None:
        seen = self.settings["seen"]
        seen.clear()
        assert seen.wait(HANGS)


def film_of_a_sleep(
    monkeypatch: pytest.MonkeyPatch, asleep: Callable[[Processor], float | None], looks: int
) -> Film:
    """Film a step that Linux takes for standing in line, and that ends after so many looks."""

    def look(processor: Processor) -> float | None:
        assert steps._patch is not None
        [filmed] = steps._patch.loops.values()
        step = filmed.step
        if step and step.looks.since == step.since and len(step.looks.places) > looks:
            seen.set()
        return asleep(processor)

    seen = threading.Event()
    monkeypatch.setattr(Processor, "scheduled", lambda _: Scheduled(0.0, time.perf_counter()))
    monkeypatch.setattr(Processor, "asleep", look)
    return watch(Application([("/", Sleeps)], seen=seen), ["/?user=ada"], red=0.1)


@pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(), reason="only Linux tells who is asleep"
)
def test_who_is_seen_asleep_slept_whatever_the_system_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linux may count a whole sleep as standing in line, once it has moved the thread."""
    assert film_of_a_sleep(monkeypatch, Processor.asleep, 8).held == ["ada"]


def test_who_has_run_between_two_looks_may_have_stood_in_line_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = itertools.count(0.0, 0.001)
    assert film_of_a_sleep(monkeypatch, lambda _: next(ran), 8).held == []


def test_what_was_seen_asleep_was_not_in_line() -> None:
    lacked, slept = Scheduled(0.01, 0.9).since(Scheduled(0.0, 0.0), 1.0, 0.7)
    assert (lacked, slept) == pytest.approx((0.3, 0.69))
