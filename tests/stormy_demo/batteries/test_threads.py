"""A pool that is full says so, and a thread keeps its place until its function returns."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop

from classroom import quiet_loop
from loopfilm import running
from stormy_demo.batteries import threads
from stormy_demo.batteries.bounded import Full, Pool
from stormy_demo.program import main
from tests import quick_start
from tests.bad_clients import Visit, http_requests, serving, visits
from tests.paths import ROOT

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_thread_left"),
]

# Seconds that no machine is too busy for.
LONG = 500
MANY = 10_000

user = ContextVar("user", default="nobody")


@pytest.fixture
def no_thread_left() -> Any:
    """Fail a test after which more threads are there than before."""
    before = set(threading.enumerate())
    yield
    assert not set(threading.enumerate()) - before


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is true; a test that waits in vain runs out of time."""
    while not condition():
        await asyncio.sleep(0)


class Step:
    """What blocks. It begins when the server has a thread for it, and ends when a test says."""

    def __init__(self) -> None:
        self.begun = 0
        self._turns = threading.Semaphore(0)

    def __call__(self) -> None:
        self.begun += 1
        assert self._turns.acquire(timeout=LONG)

    def end(self, number: int = 1) -> None:
        self._turns.release(number)


class Server:
    """A server with a pool, and the visitors of its `/work`."""

    def __init__(self, url: str, pool: Pool, step: Step) -> None:
        self.url = url
        self.pool = pool
        self.step = step
        self.visitors: list[asyncio.Task[HTTPResponse]] = []

    async def get(self, path: str) -> HTTPResponse:
        client = AsyncHTTPClient(force_instance=True, defaults={"request_timeout": LONG})
        try:
            return await client.fetch(self.url + path, raise_error=False)
        finally:
            client.close()

    async def said(self, path: str) -> tuple[int, Any]:
        response = await self.get(path)
        return response.code, json.loads(response.body)

    async def come(self, path: str = "/work") -> asyncio.Task[HTTPResponse]:
        """Have a visitor come, and go on when he has a thread, or stands in line."""
        there_are = self.pool.at_work + self.pool.in_line
        visitor = asyncio.create_task(self.get(path))
        self.visitors.append(visitor)
        await until(lambda: self.pool.at_work + self.pool.in_line > there_are)
        return visitor

    async def come_late(self, path: str = "/work") -> dict[str, str]:
        """Have visitors come who are not answered, until a thread has begun for one of them."""
        late: dict[str, str] = {}
        while not self.step.begun:
            # On a busy machine, one may be late before that, and the next one may come before
            # the thread has noticed.
            status, said = await self.said(path)
            assert status == 504 or (late and status == 503)
            late = dict(said) if status == 504 else late
        return late

    async def leave(self, path: str = "/work") -> Callable[[], None]:
        """Have a visitor come who can leave before the answer; return what lets him leave."""
        place, there_are = urlsplit(self.url), self.pool.at_work + self.pool.in_line
        connection = ask((str(place.hostname), int(place.port or 0)), path.encode())
        await until(lambda: self.pool.at_work + self.pool.in_line > there_are)
        return connection.close

    async def counts(self) -> tuple[int, ...]:
        """Read on the page how many are at work, of how many, and in line, of how many."""
        response = await self.get("/")
        assert response.code == 200
        return tuple(map(int, re.findall(r"\b\d+\b", response.body.decode().split("<p>")[1])))

    async def until_page_says(self, *counts: int) -> None:
        while await self.counts() != counts:
            pass


@asynccontextmanager
async def working(workers: int, line: int, patience: float = LONG) -> AsyncIterator[Server]:
    pool, step = Pool(workers, line), Step()
    async with running(threads.work_app(pool, step, patience)) as url:
        server = Server(url, pool, step)
        try:
            yield server
        finally:
            # Whatever happens, the threads must end: the end of the block waits for them.
            step.end(MANY)
            await asyncio.gather(*server.visitors)


class TestFull:
    async def test_who_comes_when_the_line_is_full_is_told_so_and_when_to_come_again(
        self,
    ) -> None:
        async with working(2, line=1) as server:
            inside = [await server.come() for _ in range(3)]
            for _ in range(2):
                refused = await server.get("/work")
                assert refused.code == 503
                assert int(refused.headers["Retry-After"]) > 0
                assert "full" in json.loads(refused.body)["error"]
            assert not any(visitor.done() for visitor in inside)
            server.step.end(3)
            assert [(await visitor).code for visitor in inside] == [200] * 3
            server.step.end()
            assert await server.said("/work") == (200, {"steps": 1})
            assert server.step.begun == 4

    async def test_the_page_tells_who_is_where(self) -> None:
        async with working(2, line=2) as server:
            assert await server.counts() == (0, 2, 0, 2)
            for _ in range(3):
                await server.come()
            assert await server.counts() == (2, 2, 1, 2)
            server.step.end(3)
            await server.until_page_says(0, 2, 0, 2)

    async def test_without_a_line_nobody_waits(self) -> None:
        async with working(1, line=0) as server:
            await server.come()
            assert (await server.get("/work")).code == 503

    async def test_they_get_a_thread_in_the_order_in_which_they_came(self) -> None:
        async with working(1, line=3) as server:
            first, *others = [await server.come(f"/work?steps={n}") for n in (1, 2, 3, 4)]
            server.step.end(1 + 2)
            await first
            await others[0]
            assert not others[1].done()
            assert not others[2].done()

    async def test_a_pool_of_its_own_leaves_the_name_of_a_server_to_be_found(self) -> None:
        async with working(2, line=0) as server:
            await server.come()
            await server.come()
            assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)

    async def test_in_the_default_pool_names_wait_behind_all_others(self) -> None:
        """What the notebook shows; asyncio says so nowhere."""
        loop, enough = asyncio.get_running_loop(), threading.Event()
        calls = [loop.run_in_executor(None, enough.wait, LONG) for _ in range(40)]
        look_up = asyncio.create_task(loop.getaddrinfo("localhost", 80))
        try:
            # A name that is to be found is found before this: it is the time that is short.
            await asyncio.wait([look_up], timeout=0.2)
            assert not look_up.done()
        finally:
            enough.set()
            await asyncio.wait(calls)
        assert await look_up


class TestLate:
    async def test_a_time_out_frees_the_visitor_and_no_thread(self) -> None:
        async with working(1, line=0, patience=0.1) as server:
            said = await server.come_late("/work?steps=5")
            assert said == {"error": "This was not done within 0.1 s."}
            assert await server.counts() == (1, 1, 0, 0)
            assert (await server.get("/work")).code == 503
            server.step.end()
            await server.until_page_says(0, 1, 0, 0)
            # It has looked at its flag after the step, and taken no other.
            assert server.step.begun == 1

    async def test_who_is_late_in_line_leaves_the_line(self) -> None:
        async with working(1, line=1, patience=0.1) as server:
            await server.come_late()
            for _ in range(2):
                assert (await server.get("/work")).code == 504
            assert await server.counts() == (1, 1, 0, 1)
            assert server.step.begun == 1

    async def test_who_leaves_leaves_a_thread_behind_until_its_step_is_done(self) -> None:
        async with working(1, line=1) as server:
            leave = await server.leave("/work?steps=5")
            leave()
            other = await server.come()
            assert await server.counts() == (1, 1, 1, 1)
            assert not other.done()
            # One for the step that nobody wants any more, and one for the other visitor.
            server.step.end(2)
            assert (await other).code == 200
            assert server.step.begun == 2

    async def test_who_leaves_the_line_is_not_waited_for(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with working(1, line=1) as server:
            await server.come()
            leave = await server.leave()
            assert await server.counts() == (1, 1, 1, 1)
            leave()
            await server.until_page_says(1, 1, 0, 1)
            # To leave is no fault of the server's.
            assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
            await server.come()
            assert await server.counts() == (1, 1, 1, 1)
            server.step.end(2)
            await asyncio.gather(*server.visitors)
            assert server.step.begun == 2

    async def test_the_end_of_the_server_waits_for_the_step_at_hand(self) -> None:
        pool, step, order = Pool(1, 0), Step(), list[str]()

        def step_and_note() -> None:
            step()
            order.append("the step is done")

        async with running(threads.work_app(pool, step_and_note)) as url:
            leave = await Server(url, pool, step).leave("/work?steps=5")
            # From outside of the loop, which is held while it waits for its threads.
            timer = threading.Timer(0.1, step.end, [MANY])
            timer.start()
        timer.join()
        order.append("the server is at its end")
        leave()
        assert order == ["the step is done", "the server is at its end"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ("steps=0", "from 1 to 1000"),
            ("steps=-1", "from 1 to 1000"),
            ("steps=1001", "from 1 to 1000"),
            ("steps=" + "9" * 400, "from 1 to 1000"),
            ("steps=" + "9" * 5000, "must be a number"),
            ("steps=", "must be a number"),
            ("steps=1.5", "must be a number"),
            ("steps=nan", "must be a number"),
            ("steps=1_0", "must be a number"),
            ("steps=%D9%A3", "must be a number"),
            ("steps=%ff", "steps"),
            ("steps=1&steps=1", "must be given once"),
        ],
    )
    async def test_is_refused_in_a_sentence_and_gets_no_thread(
        self, query: str, reason: str
    ) -> None:
        async with working(1, line=0) as server:
            status, said = await server.said(f"/work?{query}")
            assert status == 400
            assert reason in said["error"]
            assert server.step.begun == 0

    async def test_elsewhere_is_nothing(self) -> None:
        async with working(1, line=0) as server:
            status, said = await server.said("/elsewhere")
            assert status == 404
            assert "/work?steps=3" in said["error"]

    def test_of_any_kind_gets_no_5xx_and_keeps_nobody_out(self) -> None:
        """Also who leaves while a thread is at work for him."""
        app = threads.make_app(step=0.001)
        with serving(lambda: running(app)) as server:

            @given(visits(http_requests(["/", "/work", "/work?steps=9"], ["steps"])))
            def test(visit: Visit) -> None:
                server.survives(visit, "/work")

            test()


# What may happen to a pool: somebody comes, the oldest one inside is cancelled, or the youngest
# one, a step is done.
HAPPENINGS = st.lists(st.sampled_from(["come", "come", "oldest", "youngest", "done"]))


class TestPool:
    @given(happenings=HAPPENINGS, workers=st.integers(1, 3), line=st.integers(0, 3))
    def test_counts_right_whoever_comes_and_goes(
        self, happenings: list[str], workers: int, line: int
    ) -> None:
        asyncio.run(self.play(happenings, Pool(workers, line)))

    async def play(self, happenings: list[str], pool: Pool) -> None:
        step, everybody, most = Step(), list[asyncio.Task[None]](), 0
        with pool.open():
            for happening in happenings:
                inside = [task for task in everybody if not task.done()]
                if happening == "come":
                    everybody.append(asyncio.create_task(pool.run(step)))
                elif happening == "done":
                    step.end()
                elif inside:
                    inside[0 if happening == "oldest" else -1].cancel()
                for _ in range(3):
                    await asyncio.sleep(0)
                most = max(most, pool.at_work)
                assert 0 <= pool.in_line <= pool.line
            step.end(MANY)
            ended = await asyncio.gather(*everybody, return_exceptions=True)
            assert {type(end) for end in ended} <= {type(None), Full, asyncio.CancelledError}
            await until(lambda: not pool.at_work)
            assert pool.in_line == 0
            assert most <= pool.threads
            # And all of its threads are there for the next.
            await asyncio.gather(*[pool.run(step) for _ in range(pool.threads)])

    async def test_takes_the_context_of_the_caller_along(self) -> None:
        pool = Pool(1, 0)
        with pool.open():
            user.set("ada")
            assert await pool.run(user.get) == "ada"
            await pool.run(user.set, "grace")
            assert user.get() == "ada"

    async def test_passes_on_what_the_function_raises(self) -> None:
        pool = Pool(1, 0)
        with pool.open():
            with pytest.raises(ValueError, match="nonsense"):
                await pool.run(int, "nonsense")
            assert await pool.run(int, "11", base=2) == 3

    async def test_loses_no_place_when_the_system_has_no_thread_to_give(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        pool = Pool(1, 0)
        with pool.open():
            with (
                monkeypatch.context() as short,
                pytest.raises(RuntimeError, match="can't start"),
            ):
                short.setattr(threading.Thread, "start", refuse)
                await pool.run(abs, -1)
            assert (pool.at_work, pool.in_line) == (0, 0)
            assert await pool.run(abs, -1) == 1

    @pytest.mark.excuse_noise("A thread failed")
    async def test_logs_what_a_function_raises_for_nobody(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        pool, enough = Pool(1, 0), threading.Event()

        def fails() -> None:
            assert enough.wait(LONG)
            raise OSError("the disk is full")

        with pool.open():
            call = asyncio.create_task(pool.run(fails))
            await until(lambda: pool.at_work)
            call.cancel()
            await asyncio.wait([call])
            assert not caplog.records
            enough.set()
            await until(lambda: not pool.at_work)
        [record] = caplog.records
        assert record.exc_info and str(record.exc_info[1]) == "the disk is full"

    async def test_is_open_once_more_on_another_loop(self) -> None:
        pool = Pool(1, 5)

        async def calls() -> list[int]:
            with pool.open():
                return await asyncio.gather(*[pool.run(abs, -n) for n in range(5)])

        for _ in range(2):
            assert await asyncio.to_thread(asyncio.run, calls()) == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize(
        ("workers", "line", "reason"),
        [(0, 1, "threads"), (101, 1, "threads"), (1, -1, "line"), (1, 10_001, "line")],
    )
    def test_refuses_what_nobody_wants(self, workers: int, line: int, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            Pool(workers, line)


class TestDoor:
    """What a thread may do to a loop that sleeps; in debug mode, asyncio refuses the rest."""

    def test_an_event_that_is_set_from_a_thread_wakes_nobody(self) -> None:
        assert not quiet_loop.is_woken(lambda loop, arrived: arrived.set(), patience=0.2)

    def test_call_soon_wakes_nobody(self) -> None:
        assert not quiet_loop.is_woken(
            lambda loop, arrived: loop.call_soon(arrived.set), patience=0.2
        )

    def test_call_soon_threadsafe_wakes_it(self) -> None:
        assert quiet_loop.is_woken(
            lambda loop, arrived: loop.call_soon_threadsafe(arrived.set), patience=LONG
        )

    def test_add_callback_wakes_it(self) -> None:
        def knock(loop: asyncio.AbstractEventLoop, arrived: asyncio.Event) -> None:
            async def tornados() -> IOLoop:
                return IOLoop.current()

            door = asyncio.run_coroutine_threadsafe(tornados(), loop).result(LONG)
            door.add_callback(arrived.set)

        assert quiet_loop.is_woken(knock, patience=LONG)

    def test_what_fails_is_told_and_leaves_nothing_behind(self) -> None:
        def knock(loop: asyncio.AbstractEventLoop, arrived: asyncio.Event) -> None:
            raise LookupError("nobody at home")

        with pytest.raises(LookupError, match="nobody at home"):
            quiet_loop.is_woken(knock, patience=LONG)

    # In debug mode asyncio says of a busy machine that a step was long.
    @pytest.mark.excuse_noise("Executing ")
    def test_debug_mode_says_who_does_not_take_the_door(self) -> None:
        async def touch() -> None:
            await asyncio.to_thread(asyncio.get_running_loop().call_soon, print)

        with pytest.raises(RuntimeError, match="Non-thread-safe"):
            asyncio.run(touch(), debug=True)


class TestProgram:
    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
    def test_ends_although_a_thread_is_at_work_and_tells_who_waits(self, signum: int) -> None:
        command = [sys.executable, "-m", "stormy_demo.batteries.threads", "--port=0"]
        with quick_start.Popen(
            [*command, "--threads=1", "--line=1", "--step=0.2", "--patience=500"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            try:
                assert program.stdout
                place = urlsplit(program.stdout.readline().split()[2])
                address = (str(place.hostname), int(place.port or 0))
                waiting = [ask(address, b"/work?steps=1000") for _ in range(2)]
                while b"At work: 1 of 1 threads. In line: 1 of 1" not in page(address):
                    pass
                program.send_signal(signum)
                for connection in waiting:
                    with connection:
                        assert connection.recv(1000).startswith(b"HTTP/1.1 503 ")
                out, err = program.communicate(timeout=LONG)
            finally:
                program.kill()
        assert program.returncode == 0
        assert out == "stopped\n"
        assert [
            line for line in err.splitlines() if " 200 " not in line and " 503 " not in line
        ] == []

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("--threads=0", "threads 100"),
            ("--threads=101", "threads 100"),
            ("--threads=many", "--threads=many"),
            ("--line=-1", "line 10000"),
            ("--step=-1", "step 60"),
            ("--step=nan", "step 60"),
            ("--step=61", "step 60"),
            ("--patience=0", "patience"),
            ("--patience=inf", "patience"),
        ],
    )
    def test_refuses_an_option_in_one_sentence(
        self, option: str, words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(threads.make_app, ["", "--logging=none", option]) == 2
        out, err = capsys.readouterr()
        assert len(err.splitlines()) == 1
        for word in words.split():
            assert word in err
        assert out == ""


def ask(address: tuple[str, int], path: bytes) -> socket.socket:
    connection = socket.create_connection(address, timeout=LONG)
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: here\r\n\r\n" % path)
    return connection


def page(address: tuple[str, int]) -> bytes:
    with ask(address, b"/") as connection:
        return connection.recv(10_000)
