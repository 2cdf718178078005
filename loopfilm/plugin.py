"""A fixture for pytest: a test that takes it fails if any event loop was held during it.

In a `conftest.py`::

    pytest_plugins = ["loopfilm.plugin"]

and in a test::

    def test_reports(no_held_loop): ...

It sees every loop of asyncio's own that runs meanwhile, in any thread of the process, whoever
runs it; a test that has a loop of uvloop fails, since nobody can see that one's steps. A step
longer than 0.25 s holds a loop; the mark `no_held_loop(red=0.1)`, which brings the fixture with
it, or the option `no_held_loop_red` of the configuration says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from .entries import Hold
from .everywhere import EveryLoop, every_loop
from .recorder import not_seen
from .totals import totals

NAME = "no_held_loop"
RED = "no_held_loop_red"
HELP = "a step longer than so many seconds holds the loop, for the fixture no_held_loop"
MOST_LINES = 40


class _Watch:
    """What is seen during one test."""

    def __init__(self, red: float) -> None:
        self._stack = ExitStack()
        self.seen: EveryLoop = self._stack.enter_context(every_loop(red))

    def end(self) -> None:
        self._stack.close()


WATCH = pytest.StashKey[_Watch]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says what is too long."""
    # Older ones know no numbers; newer ones refuse in a TOML file what is of another type.
    kind: Any = "float" if pytest.version_tuple >= (8, 4) else None
    parser.addini(RED, HELP, type=kind, default=0.25)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and refuse an option that is no number."""
    config.addinivalue_line(
        "markers",
        f"{NAME}(red=0.25): fail if a step of an event loop is longer than `red` seconds",
    )
    _configured(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a test that has the mark have the fixture."""
    for item in items:
        if (mark := item.get_closest_marker(NAME)) is not None:
            if mark.args or not mark.kwargs.keys() <= {"red"}:
                raise pytest.UsageError(
                    f"{item.nodeid}: write {NAME}(red=0.1), or {NAME} alone"
                )
            _red_of(mark.kwargs.get("red", "0.25"), f"{item.nodeid}: red")
            names = getattr(item, "fixturenames", None)
            if names is not None and NAME not in names:
                names.insert(_after_those_of_many_tests(item, names), NAME)


def _after_those_of_many_tests(item: pytest.Item, names: list[str]) -> int:
    """Return where a fixture of one test belongs, as pytest would have it."""
    # Nobody else has asked for the fixtures of a session that are set up in the first test.
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for number, name in enumerate(names):
        definitions = known.get(name)
        if not definitions or definitions[-1].scope == "function":
            return number
    return len(names)


@pytest.fixture
def no_held_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test if any event loop was held during it, and say by whom, and where."""
    mark = request.node.get_closest_marker(NAME)
    red = mark.kwargs.get("red") if mark is not None else None
    watch = _Watch(_configured(request.config) if red is None else _red_of(red, "red"))
    request.node.stash[WATCH] = watch
    yield
    watch.end()
    del request.node.stash[WATCH]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail after the test, and not in its teardown, so that it counts as failed."""
    try:
        result = yield
    except BaseException:
        # What it fails with comes first; that the loop was held may be why.
        if said := _said(item):
            item.add_report_section("call", "held loop", said)
        raise
    if said := _said(item):
        pytest.fail(said, pytrace=False)
    return result


def _said(item: pytest.Item) -> str:
    """Return what was seen in a test, in lines; empty if no loop was held."""
    watch = item.stash.get(WATCH, None)
    if watch is None:
        return ""
    watch.end()
    unseen = [not_seen(NAME, kind) for kind in dict.fromkeys(watch.seen.unseen)]
    holds: list[Hold] = watch.seen.held_at
    if not holds:
        return "\n".join(unseen)
    held = totals(holds)
    lines = [total.held(watch.seen.red) for total in held[:MOST_LINES]]
    if len(held) > MOST_LINES:
        lines.append(f"and {len(held) - MOST_LINES} more lines")
    return "\n".join([*unseen, *lines, f"(A step longer than {watch.seen.red:g} s holds it.)"])


def _configured(config: pytest.Config) -> float:
    try:
        value = config.getini(RED)
    except (TypeError, ValueError, pytest.UsageError) as error:
        # It is pytest that reads it as a number, and does not always say of what it speaks.
        raise pytest.UsageError(f"{RED} is a number of seconds above 0: {error}") from None
    return _red_of(value, RED)


def _red_of(value: object, what: str) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        red = float(value)
        if not 0 < red < math.inf:
            raise ValueError
    except ValueError:
        raise pytest.UsageError(
            f"{what} is a number of seconds above 0, not {value!r}"
        ) from None
    return red
