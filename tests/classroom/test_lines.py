"""How often each line runs is counted, on this thread, and only while somebody asks."""

from __future__ import annotations

import sys
from collections import Counter
from threading import Thread

import pytest

from classroom.measuring.lines import Line, counted_lines


def loop(times: int) -> int:
    total = 0
    for n in range(times):
        total += n
    return total


def of_loop(lines: Counter[Line]) -> dict[int, int]:
    """How often each line of `loop` has run, by its distance from the first."""
    code = loop.__code__
    return {n - code.co_firstlineno: times for (of, n), times in lines.items() if of is code}


def test_each_line_is_counted_as_often_as_it_runs() -> None:
    with counted_lines() as lines:
        loop(10)
    counted = of_loop(lines)
    assert (counted[1], counted[3], counted[4]) == (1, 10, 1)
    assert 10 <= counted[2] <= 11


def test_nothing_is_counted_before_and_after() -> None:
    loop(1)
    with counted_lines() as lines:
        pass
    loop(1)
    assert not of_loop(lines)


def test_other_threads_are_not_counted() -> None:
    with counted_lines() as lines:
        other = Thread(target=loop, args=[10])
        other.start()
        other.join()
    assert not of_loop(lines)


def test_who_traced_before_traces_again_even_after_an_error() -> None:
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError), counted_lines():
        loop(1 // 0)
    assert sys.gettrace() is before
