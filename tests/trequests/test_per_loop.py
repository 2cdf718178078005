"""What a loop has for itself is kept apart from it, and goes when the loop is closed."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import select
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import requests

from loopfilm import running_apart
from stormy_demo.backend import Backend
from tests.conftest import DESCRIPTORS
from tornalet import run
from trequests import ENGINES, setup_session
from trequests.engines.per_loop import PerLoop

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]


WHO: contextvars.ContextVar[Any] = contextvars.ContextVar("WHO")


class Value:
    """Refers to its loop, as Tornado's clients do."""

    made: list[Value]

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = 0
        self.made.append(self)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> PerLoop[Value]:
    monkeypatch.setattr(Value, "made", [], raising=False)
    return PerLoop(Value)


async def value_of(values: PerLoop[Value]) -> Value:
    return values.of(asyncio.get_running_loop())


def test_a_value_that_cannot_be_closed_is_no_matter_of_other_loops(
    values: PerLoop[Value], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Value) -> None:
        raise OSError("cannot be closed")

    asyncio.run(value_of(values))
    asyncio.run(value_of(values))
    monkeypatch.setattr(Value, "close", fail)
    assert asyncio.run(value_of(values)) is Value.made[-1]
    [record] = caplog.records
    assert record.exc_info and "cannot be closed" in str(record.exc_info[1])
    # It was expected, and is no noise.
    caplog.clear()


def test_each_loop_has_one_value(values: PerLoop[Value]) -> None:
    async def look() -> None:
        loop = asyncio.get_running_loop()
        assert values.find(loop) is None
        value = values.of(loop)
        assert value.loop is loop
        assert values.of(loop) is value is values.find(loop)

    asyncio.run(look())
    asyncio.run(look())
    assert len(Value.made) == 2


def test_the_next_one_closes_and_drops_those_of_closed_loops(values: PerLoop[Value]) -> None:
    open_one = asyncio.new_event_loop()
    kept = open_one.run_until_complete(value_of(values))
    ended = weakref.ref(asyncio.run(value_of(values)))
    last = asyncio.run(value_of(values))
    assert [value.closed for value in Value.made] == [0, 1, 0]
    Value.made.clear()
    gc.collect()
    assert ended() is None
    assert values.find(open_one) is kept
    assert values.find(last.loop) is last
    open_one.close()


def test_loops_on_many_threads_may_come_and_go(values: PerLoop[Value]) -> None:
    def many() -> None:
        for _ in range(100):
            asyncio.run(value_of(values))

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(value_of(values))
    assert len(Value.made) == 801
    assert [value.closed for value in Value.made].count(1) == 800


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_loops_of_its_own(values: PerLoop[Value]) -> None:
    async def fork() -> None:
        value = await value_of(values)
        with warnings.catch_warnings():
            # A thread of some other test may be there.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            fine = False
            try:
                thread = threading.Thread(target=lambda: asyncio.run(value_of(values)))
                thread.start()
                thread.join()
                fine = len(Value.made) == 2 and not value.closed
            finally:
                os._exit(0 if fine else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    asyncio.run(fork())


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "curl":
        pytest.importorskip("pycurl")
    return str(request.param)


def test_loops_that_end_leave_no_descriptors_to_the_garbage_collector(
    engine: str, open_descriptors: Callable[[], int]
) -> None:
    def ask(url: str) -> int:
        with requests.Session() as session:
            return session.get(f"{url}/profile?user=ada", timeout=500).status_code

    def count() -> int:
        return sum(1 for _ in DESCRIPTORS.iterdir())

    with running_apart(Backend().app) as url, setup_session(engine=engine):
        assert asyncio.run(run(ask, url)) == 200
        before = open_descriptors()
        gc.disable()
        try:
            for _ in range(10):
                assert asyncio.run(run(ask, url)) == 200
            # The server lets go of its own ends when its thread comes to it.
            end = time.monotonic() + 10
            while count() > before + 6 and time.monotonic() < end:
                time.sleep(0.01)
            assert count() <= before + 6
        finally:
            gc.enable()


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="else the value refers to the loop")
def test_a_loop_that_nobody_closes_is_collected_all_the_same() -> None:
    with running_apart(Backend().app) as url, setup_session():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(run(requests.get, f"{url}/profile?user=ada"))
        gone = weakref.ref(loop)
        del loop
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "unclosed event loop", ResourceWarning)
            gc.collect()
    assert gone() is None


async def test_a_loop_keeps_nothing_of_who_was_the_first_to_wait() -> None:
    class Whoever:
        """Somebody in a context variable."""

    async def ask(url: str) -> None:
        WHO.set(whoever())
        # Without a timeout: asyncio keeps even a timer that was cancelled until its time.
        await run(requests.get, f"{url}/profile?user=ada")

    gone = list[weakref.ref[Whoever]]()

    def whoever() -> Whoever:
        one = Whoever()
        gone.append(weakref.ref(one))
        return one

    with running_apart(Backend().app) as url, setup_session():
        await asyncio.create_task(ask(url))
        # In this turn asyncio still has the context of the task.
        await asyncio.sleep(0)
        gc.collect()
        assert gone[0]() is None


async def test_no_timer_is_left_of_a_wait_that_is_over() -> None:
    with running_apart(Backend().app) as url, setup_session():
        await run(requests.get, f"{url}/profile?user=ada", timeout=1000)
    now = asyncio.get_running_loop().time()
    timers = [each for each in gc.get_objects() if isinstance(each, asyncio.TimerHandle)]
    assert not [timer for timer in timers if timer.when() > now + 900 and not timer.cancelled()]


# The client of "simple" has nothing to close, and tasks that asyncio would complain of.
@pytest.mark.parametrize("engine", ["curl", "sockets"], indirect=True)
def test_a_loop_that_is_closed_in_the_middle_of_requests_holds_nobody_up(
    engine: str,
) -> None:
    """The value of such a loop is closed with requests in it, and from another thread."""
    backend, closed, go_on = Backend(hang={"profile"}), threading.Event(), threading.Event()

    def close_in_the_middle(url: str) -> None:
        async def ask() -> None:
            for each in asking:
                tasks.append(asyncio.create_task(each))
            while len(backend.asked) < 3:
                await asyncio.sleep(0.001)

        tasks = list[asyncio.Task[Any]]()
        asking = [run(requests.get, f"{url}/profile?user=ada") for _ in range(3)]
        loop = asyncio.new_event_loop()
        loop.run_until_complete(ask())
        loop.close()
        closed.set()
        go_on.wait(500)
        for each, task in zip(asking, tasks, strict=True):
            each.close()
            # asyncio would complain of a task that is pending when it goes.
            task._log_destroy_pending = False  # type: ignore[attr-defined]

    with running_apart(backend.app) as url, setup_session(engine=engine):
        thread = threading.Thread(target=close_in_the_middle, args=(url,))
        thread.start()
        assert closed.wait(500)
        answer = asyncio.run(run(requests.get, f"{url}/messages?user=ada", timeout=500))
        go_on.set()
        thread.join(500)
    assert answer.status_code == 200
    assert not thread.is_alive()


def test_nothing_is_hung_on_what_belongs_to_others(engine: str) -> None:
    async def ask() -> None:
        loop = asyncio.get_running_loop()
        before = set(vars(loop))
        await run(session.get, f"{url}/profile?user=ada")
        assert set(vars(loop)) == before

    session = requests.Session()
    mine = requests.adapters.HTTPAdapter(pool_maxsize=5)
    session.mount("http://", mine)
    adapter, manager = set(vars(mine)), set(vars(mine.poolmanager))
    methods = {"send", "proxy_manager_for", "get_connection", "get_connection_with_tls_context"}
    with running_apart(Backend().app) as url:
        with setup_session(session, engine=engine, outside="block"):
            asyncio.run(ask())
            assert set(vars(mine)) <= adapter | methods
            assert set(vars(mine.poolmanager)) == manager
        with setup_session(engine=engine):
            session = requests.Session()
            asyncio.run(ask())
    assert set(vars(mine)) == adapter
