"""One run of pytest underneath the event loop, and what an engine did in it.

    python benchmarks/_conformance_plugin.py ENGINE REPORT [arguments of pytest]

There is one loop for the whole run, as in a server. Each test is plain code in a greenlet of
its own, as the method of a handler is. With "stock" there is neither. What came out is written
to REPORT, as JSON. A test that passes proves nothing about an engine that was not used: so uses
are counted, and how the loop fared meanwhile.
"""

from __future__ import annotations

import asyncio
import functools
import json
import selectors
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter

import tornalet
from trequests import setup_session

STOCK = "stock"
BLOCKS = "blocks the event loop"
Send = Callable[..., requests.Response]


class Turns(selectors.DefaultSelector):
    """The loop's selector, which sees each turn of the loop, and how long it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.held = 0.0
        self.since = time.monotonic()

    def begin(self) -> None:
        """Look from here on how long the loop is held."""
        self.held, self.since = 0.0, time.monotonic()

    def look(self) -> None:
        self.held = max(self.held, time.monotonic() - self.since)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.look()
        events = super().select(timeout)
        self.count += 1
        self.since = time.monotonic()
        return events


class Conformance:
    """A plugin that puts tests into greenlets, and keeps count."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.turns = Turns()
        self.test = ""
        self.thread = threading.get_ident()
        self.sending: BaseAdapter | None = None
        self.outcomes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.sends = Counter[str]()
        self.theirs = Counter[str]()
        self.handed_on = Counter[str]()
        self.bypassed = Counter[str]()
        self.elsewhere = Counter[str]()
        self.unwaited = Counter[str]()
        self.answers = 0
        self.waits = 0
        self.real_wait = tornalet.wait
        self.held: dict[str, float] = {}
        self.blocked: list[str] = []

    def run(self, arguments: list[str]) -> int:
        """Run pytest, and return its exit code."""
        with ExitStack() as undo:
            if self.engine == STOCK:
                self.count(HTTPAdapter, undo)
                return int(pytest.main(arguments, [self]))
            undo.enter_context(setup_session(engine=self.engine))
            self.count(HTTPAdapter, undo)
            self.count(type(requests.Session().get_adapter("http://localhost/")), undo)
            undo.callback(setattr, tornalet, "wait", self.real_wait)
            tornalet.wait = self.wait
            with asyncio.Runner(
                loop_factory=lambda: asyncio.SelectorEventLoop(self.turns)
            ) as runner:
                code = runner.run(tornalet.run(pytest.main, arguments, [self]))
            return int(code)

    def wait(self, awaitable: Any) -> Any:
        """Count a wait of plain code, and wait."""
        self.waits += 1
        return self.real_wait(awaitable)

    def count(self, kind: type[BaseAdapter], undo: ExitStack) -> None:
        """Let what a kind of adapter sends be counted."""
        own, original = "send" in vars(kind), cast(Send, kind.send)
        engines = self.engine == STOCK or kind is not HTTPAdapter

        @functools.wraps(original)
        def send(adapter: BaseAdapter, *args: Any, **options: Any) -> requests.Response:
            call = functools.partial(original, adapter, *args, **options)
            if threading.get_ident() != self.thread:
                self.elsewhere[self.test] += 1
                return call()
            if self.sending:
                # An engine may send with what it is made from: one request, and not two.
                self.handed_on[self.test] += adapter is not self.sending
                return call()
            return self.counted(adapter, call, engines)

        kind.send = send  # type: ignore[method-assign, assignment]
        if own:
            undo.callback(setattr, kind, "send", original)
        else:
            undo.callback(delattr, kind, "send")

    def counted(
        self, adapter: BaseAdapter, call: Callable[[], requests.Response], engines: bool
    ) -> requests.Response:
        (self.sends if engines else self.theirs)[self.test] += 1
        before = self.turns.count
        self.turns.begin()
        self.sending = adapter
        try:
            response = call()
        finally:
            self.sending = None
            self.turns.look()
            if not engines and self.turns.count == before:
                self.bypassed[self.test] += 1
            if self.turns.held > self.held.get(self.test, 0.0):
                self.held[self.test] = self.turns.held
        # A request that is refused before anything is sent has no reason to wait.
        if engines:
            self.answers += 1
            self.unwaited[self.test] += self.turns.count == before
        return response

    # -- what pytest calls ---------------------------------------------------------------------

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.test = nodeid

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(
        self, pyfuncitem: pytest.Function
    ) -> Generator[None, object | None, object | None]:
        function = pyfuncitem.obj

        def in_a_greenlet(**arguments: Any) -> None:
            # With the real one: what the tests wait for is counted, and not that they run.
            self.real_wait(tornalet.run(function, **arguments))

        if self.engine != STOCK:
            pyfuncitem.obj = in_a_greenlet
        try:
            return (yield)
        finally:
            pyfuncitem.obj = function

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
            self.reasons.setdefault(report.nodeid, reason(report))
        elif report.skipped or report.when == "call":
            self.outcomes.setdefault(report.nodeid, report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
            self.reasons[report.nodeid] = reason(report)

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, nodeid: str
    ) -> None:
        if BLOCKS in str(warning_message.message):
            self.blocked.append(nodeid)


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the line that says what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    lines = text.strip().splitlines() or ["no reason was given"]
    line: str = lines[0] if crash else lines[-1]
    return line


def main(engine: str, report: str, *arguments: str) -> int:
    """Run pytest with an engine, write the report, and return pytest's exit code."""
    plugin = Conformance(engine)
    began = time.monotonic()
    code = plugin.run(list(arguments))
    seconds = time.monotonic() - began
    told = {
        "engine": engine,
        "exit": code,
        "requests": requests.__file__,
        "seconds": round(seconds, 1),
        "outcomes": plugin.outcomes,
        "reasons": plugin.reasons,
        "sends": plugin.sends,
        "theirs": plugin.theirs,
        "handed_on": plugin.handed_on,
        "bypassed": plugin.bypassed,
        "elsewhere": plugin.elsewhere,
        "unwaited": plugin.unwaited,
        "answers": plugin.answers,
        "waits": plugin.waits,
        "turns": plugin.turns.count,
        "held": plugin.held,
        "blocked": plugin.blocked,
    }
    Path(report).write_text(json.dumps(told, indent=1), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
