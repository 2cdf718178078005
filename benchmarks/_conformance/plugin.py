"""One run of pytest underneath the event loop, and what an engine did in it.

    python -P -m benchmarks._conformance.plugin ENGINE REPORT [arguments of pytest]

There is one loop for the whole run, as in a server. Each test is plain code in a greenlet of
its own, as the method of a handler is. With "stock" there is neither. The result is written to
REPORT, as JSON. A test that passes proves nothing about an engine that was not used: so each
request is counted, and so are the iterations of the loop meanwhile, and how long they took.
"""

from __future__ import annotations

import _socket
import asyncio
import contextlib
import functools
import importlib
import inspect
import ipaddress
import json
import os
import selectors
import ssl
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, cast
from wsgiref.simple_server import WSGIServer

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter

import tornalet
from trequests import setup_session

STOCK = "stock"
# The plugin of pytest whose server the tests of requests ask.
HTTPBIN = "pytest_httpbin.plugin"
# Words of the warning of a request that blocks the loop.
BLOCKS = "blocks the event loop"
# The variable of the environment with which a run connects to nothing but this machine.
STAYS = "CONFORMANCE_STAYS_HERE"
# The variable with which the certificates of HTTPBIN are trusted.
TRUSTS = "CONFORMANCE_TRUSTS_HTTPBIN"
Send = Callable[..., requests.Response]
# Nanoseconds for which the thread that opens it had a processor, and for which it had none and
# could have run.
SCHEDULED = Path("/proc/thread-self/schedstat")
# Seconds. A shorter iteration is not looked at closely, and what other threads have lacked is
# known as it was no longer ago than this.
LOOK = 0.05


class Clock:
    """A clock for the thread that makes it, which a busy machine does not put forward.

    It stands still while the thread could run and has no processor. Only Linux tells for how
    long that was; elsewhere the clock goes on.
    """

    def __init__(self) -> None:
        self.file = SCHEDULED.open("rb", 0) if SCHEDULED.exists() else None

    def now(self) -> float:
        """Return seconds since some moment."""
        before = self.lacked()
        while True:
            now = time.monotonic()
            after = self.lacked()
            if after == before:
                return now - after / 1e9
            # It lost the processor between the two, and the times do not belong together.
            before = after

    def lacked(self) -> int:
        """Return for how many nanoseconds the thread could have run, and did not."""
        if self.file is None:
            return 0
        # Some tests fork: the processes share the file, and its position.
        return int(os.pread(self.file.fileno(), 100, 0).split()[1])

    def close(self) -> None:
        """Read no more."""
        if self.file:
            self.file.close()


def lacked_by_others() -> dict[int, int]:
    """Return for how many nanoseconds each other thread could have run and had no processor."""
    found, ours = dict[int, int](), threading.get_native_id()
    for thread in threading.enumerate():
        if thread.native_id not in (None, ours):
            with contextlib.suppress(OSError, IndexError):
                text = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
                found[thread.native_id or 0] = int(text.split()[1])
    return found


class CountingSelector(selectors.DefaultSelector):
    """A selector for the loop, which counts its iterations and measures them.

    Attributes:
        clock: what they are measured with.
        count: the iterations until now.
        held: how many seconds the longest of them has taken, since `restart`.
        since: when the current one began.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.count = 0
        self.held = 0.0
        self.since = self.clock.now()
        self.others = lacked_by_others()
        self.looked = time.monotonic()

    def restart(self) -> None:
        """Measure from here on."""
        self.held, self.since = 0.0, self.clock.now()
        self.look()

    def look(self) -> None:
        """Note what the other threads have lacked until now."""
        if time.monotonic() - self.looked > LOOK:
            self.others, self.looked = lacked_by_others(), time.monotonic()

    def measure(self) -> None:
        """Take into account how long the current iteration has taken until now."""
        took = self.clock.now() - self.since
        if took > max(self.held, LOOK):
            # The loop may have waited for a thread that had the GIL and no processor.
            after = lacked_by_others()
            lacked = (after[thread] - self.others.get(thread, 0) for thread in after)
            took -= max(lacked, default=0) / 1e9
        self.held = max(self.held, took)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; between two of these calls the loop is held."""
        self.measure()
        events = super().select(timeout)
        self.count += 1
        self.since = self.clock.now()
        self.look()
        return events

    def close(self) -> None:
        """Wait for nothing any more, and measure nothing."""
        super().close()
        self.clock.close()


class Conformance:
    """A plugin that runs tests in greenlets, and counts what they do.

    Args:
        engine: an engine of `setup_session`, or "stock" for requests as it is.

    Attributes:
        engines_own: the class of the engine's adapters.
        iterations: the loop's selector.
        test: the id of the test that runs.
        thread: the one on which the loop runs.
        sending: the adapter whose `send` is under way.
        outcomes: what came of each test.
        reasons: why a test failed.
        sends: for each test its requests through the engine.
        own_adapters: those through an HTTPAdapter that the test itself made.
        handed_on: those that an adapter handed on to another one.
        bypassed: those of `own_adapters` that connected a socket while the loop stood still.
            What a cache answers, or a mock, connects none.
        blocking: those during which the loop's thread connected a socket that blocks.
        elsewhere: those on other threads.
        unwaited: those of `sends` that were answered while the loop stood still.
        answers: how many of `sends` were answered.
        waits: how often plain code waited for something.
        held: for each test how many seconds a request of it held the loop, at most.
        blocked: the tests that were warned of blocking the loop.
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.engines_own: type[BaseAdapter] = HTTPAdapter
        self.iterations = CountingSelector()
        self.test = ""
        self.thread = threading.get_ident()
        self.sending: BaseAdapter | None = None
        self.outcomes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.sends = Counter[str]()
        self.own_adapters = Counter[str]()
        self.handed_on = Counter[str]()
        self.bypassed = Counter[str]()
        self.blocking = Counter[str]()
        # How often the loop's thread has connected a socket.
        self.connects = 0
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
            undo.callback(self.iterations.close)
            if self.engine == STOCK:
                self.count(HTTPAdapter, undo)
                return int(pytest.main(arguments, [self]))
            sys.addaudithook(self.notice)
            undo.enter_context(setup_session(engine=self.engine))
            self.engines_own = type(requests.Session().get_adapter("http://localhost/"))
            # Those of the engines end there too. What a mock answers instead is not counted.
            self.count(HTTPAdapter, undo)
            undo.callback(setattr, tornalet, "wait", self.real_wait)
            tornalet.wait = self.wait
            with asyncio.Runner(
                loop_factory=lambda: asyncio.SelectorEventLoop(self.iterations)
            ) as runner:
                code = runner.run(tornalet.run(pytest.main, arguments, [self]))
            return int(code)

    def wait(self, awaitable: Any) -> Any:
        """Count a wait of plain code, and wait as `tornalet.wait` does."""
        self.waits += 1
        return self.real_wait(awaitable)

    def notice(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Notice that a request connects a socket on the loop's thread."""
        if event == "socket.connect" and self.sending and threading.get_ident() == self.thread:
            self.connects += 1
            # What the system knows of it, and not what a subclass says.
            if _socket.socket.gettimeout(arguments[0]) != 0:
                self.blocking[self.test] += 1

    def count(self, kind: type[BaseAdapter], undo: ExitStack) -> None:
        """Count the requests that a class of adapters sends.

        Args:
            kind: the class; its `send` is replaced.
            undo: what puts the method back.
        """
        original = cast(Send, kind.send)

        @functools.wraps(original)
        def send(adapter: BaseAdapter, *args: Any, **options: Any) -> requests.Response:
            call = functools.partial(original, adapter, *args, **options)
            if threading.get_ident() != self.thread:
                self.elsewhere[self.test] += 1
                return call()
            if self.sending:
                # The adapter of an engine may call the `send` of another class: that is one
                # request, and not two.
                self.handed_on[self.test] += adapter is not self.sending
                return call()
            is_engine = self.engine == STOCK or isinstance(adapter, self.engines_own)
            return self.counted(adapter, call, is_engine)

        kind.send = send  # type: ignore[method-assign, assignment]
        undo.callback(setattr, kind, "send", original)

    def counted(
        self, adapter: BaseAdapter, call: Callable[[], requests.Response], is_engine: bool
    ) -> requests.Response:
        """Send a request on the loop's thread, and count it.

        Args:
            adapter: whose request it is.
            call: sends it.
            is_engine: whether the adapter is the engine's, and not one that a test made.
        """
        (self.sends if is_engine else self.own_adapters)[self.test] += 1
        before, connects = self.iterations.count, self.connects
        self.iterations.restart()
        self.sending = adapter
        try:
            response = call()
        finally:
            self.sending = None
            self.iterations.measure()
            still = self.iterations.count == before
            if not is_engine and still and self.connects != connects:
                self.bypassed[self.test] += 1
            if self.iterations.held > self.held.get(self.test, 0.0):
                self.held[self.test] = self.iterations.held
        # Only what was answered: a request that is refused before anything is sent raises, and
        # has no reason to wait.
        if is_engine:
            self.answers += 1
            self.unwaited[self.test] += still
        return response

    # -- what pytest calls ---------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        if config.pluginmanager.has_plugin(HTTPBIN):
            answer_side_by_side()
            if TRUSTS in os.environ:
                certs: Any = importlib.import_module("pytest_httpbin.certs")
                os.environ["REQUESTS_CA_BUNDLE"] = certs.where()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # They want a loop that begins and ends with them, and no coroutine uses requests.
        items[:] = [each for each in items if not is_coroutine(each)]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.test = nodeid

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        if self.engine == STOCK or not isinstance(item, pytest.Function):
            return (yield)
        function = item.obj

        # The name is that of the test, which unittest looks at.
        @functools.wraps(function)
        def in_a_greenlet(*given: Any, **arguments: Any) -> None:
            # Not with the counting one: this waits for the test, and not for an answer.
            self.real_wait(tornalet.run(function, *given, **arguments))

        item.obj = in_a_greenlet
        try:
            return (yield)
        finally:
            item.obj = function

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


class SideBySide(ThreadingMixIn, WSGIServer):
    """A server that has a thread for each request."""

    daemon_threads = True


def answer_side_by_side() -> None:
    """Let the servers of the tests answer several requests at once, with TLS and without.

    Each has one thread, and some tests make it sleep for ten seconds, for which all tests after
    them would wait. The one with TLS also gives up a handshake after a second, which a busy
    machine may well need.
    """
    serve: Any = importlib.import_module("pytest_httpbin.serve")
    serve.make_server = functools.partial(serve.make_server, server_class=SideBySide)

    class SecureSideBySide(ThreadingMixIn, serve.SecureWSGIServer):  # type: ignore[misc]
        daemon_threads = True

        def get_request(self) -> tuple[ssl.SSLSocket, Any]:
            connection, address = WSGIServer.get_request(self)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            folder = Path(serve.CERT_DIR)
            context.load_cert_chain(folder / "server.pem", folder / "server.key")
            # The thread of the request shakes hands, as it reads.
            wrapped = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
            return wrapped, address

    serve.SecureWSGIServer = SecureSideBySide


def is_coroutine(item: pytest.Item) -> bool:
    """Return whether a test is a coroutine function."""
    return isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj)


def stay_here() -> None:
    """Let this process connect to nothing but this machine, and look up no other names.

    Raises:
        PermissionError: where something asks for more.
    """

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            address = arguments[1]
            host = address[0] if isinstance(address, tuple) else "localhost"
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            host = arguments[0]
        else:
            return
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if not is_here(host):
            raise PermissionError(f"{host} is not this machine")

    sys.addaudithook(refuse)


def is_here(host: str | None) -> bool:
    """Return whether a host, as a connection is made to it, is this machine."""
    if not host or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the line of a report that says what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    lines = text.strip().splitlines() or ["no reason was given"]
    line: str = lines[0] if crash else lines[-1]
    return line


def main(engine: str, report: str, *arguments: str) -> int:
    """Run pytest with an engine, write the report, and return pytest's exit code."""
    plugin = Conformance(engine)
    if STAYS in os.environ:
        stay_here()
    began = time.monotonic()
    code = plugin.run(list(arguments))
    seconds = time.monotonic() - began
    result = {
        "engine": engine,
        "exit": code,
        "requests": requests.__file__,
        "seconds": round(seconds, 1),
        "outcomes": plugin.outcomes,
        "reasons": plugin.reasons,
        "sends": plugin.sends,
        "own_adapters": plugin.own_adapters,
        "handed_on": plugin.handed_on,
        "bypassed": plugin.bypassed,
        "blocking": plugin.blocking,
        "elsewhere": plugin.elsewhere,
        "unwaited": plugin.unwaited,
        "answers": plugin.answers,
        "waits": plugin.waits,
        "iterations": plugin.iterations.count,
        "held": plugin.held,
        "blocked": plugin.blocked,
    }
    Path(report).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
