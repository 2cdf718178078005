"""Applications start, stop, and leave nothing behind, on any loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import requests
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import BlockingResolver, DefaultLoopResolver, Resolver
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect

from loopfilm import CannotListen, handlers_at_work, on_own_loop, running, running_apart
from loopfilm.resolver import LiteralResolver
from tests.loopfilm.servers import HANGS, refused

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]


class Hello(RequestHandler):
    def get(self) -> None:
        self.settings.setdefault("arrived", []).append(self.get_argument("n", ""))
        self.write("hello")


class NeverAnswers(RequestHandler):
    async def get(self) -> None:
        self.settings["asked"].set()
        try:
            await asyncio.Event().wait()
        finally:
            self.settings["ended"].append(self.request.path)


class Chat(WebSocketHandler):
    def on_close(self) -> None:
        self.settings["ended"].append(self.request.path)


def hello(**settings: Any) -> Application:
    return Application([("/", Hello)], **settings)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


async def fetch(url: str) -> bytes:
    client = AsyncHTTPClient(force_instance=True, max_clients=100)
    response = await client.fetch(url, connect_timeout=HANGS, request_timeout=HANGS)
    return response.body


class TestRunningHere:
    async def test_answers_while_the_block_lasts(self) -> None:
        async with running(hello()) as url:
            assert url.startswith("http://127.0.0.1:")
            assert await fetch(url) == b"hello"
        assert refused(url)

    async def test_any_number_run_side_by_side(self) -> None:
        async with running(hello()) as one, running(hello()) as other:
            assert one != other
            assert await fetch(one) == await fetch(other) == b"hello"

    async def test_stops_when_the_block_fails(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with running(hello()) as url:
                _ = 1 / 0
        assert refused(url)

    @pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
    async def test_the_address_of_a_port_in_ipv6_can_be_used(self) -> None:
        async with running(hello(), address="::1") as url:
            assert url.startswith("http://[::1]:")
            assert await fetch(url) == b"hello"
            # It is there alone, and not on 127.0.0.1 too.
            assert refused(url.replace("[::1]", "127.0.0.1"))

    @pytest.mark.parametrize("address", ["", None])
    async def test_every_network_has_an_address_that_says_so(self, address: Any) -> None:
        with pytest.raises(CannotListen, match="an empty address is every network"):
            async with running(hello(), address=address):
                pass

    @pytest.mark.parametrize("app", [None, "hello", Application])
    async def test_what_is_no_application_is_told_at_once(self, app: Any) -> None:
        with pytest.raises(TypeError, match="an application is needed, such as"):
            async with running(app):
                pass

    async def test_closes_connections_that_are_kept_alive(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        before = open_descriptors()
        async with running(hello()) as url:
            stream = await TCPClient().connect("127.0.0.1", int(url.rpartition(":")[2]))
            await stream.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert (await stream.read_until(b"hello")).startswith(b"HTTP/1.1 200")
        with pytest.raises(StreamClosedError):
            await stream.read_until(b"\n")
        assert open_descriptors() <= before

    async def test_is_not_kept_by_an_upload_that_nobody_reads(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        # Tornado logs that the upload was cut off.
        caplog.set_level("CRITICAL", "tornado.application")

        @stream_request_body
        class Upload(RequestHandler):
            def data_received(self, chunk: bytes) -> asyncio.Future[None]:
                reading.set()
                return asyncio.Future()

        monkeypatch.setattr("loopfilm.ending.GRACE_PERIOD", 0.1)
        reading = asyncio.Event()
        async with running(Application([("/", Upload)])) as url:
            stream = await IOStream(socket.socket()).connect(("127.0.0.1", int(url[17:])))
            await stream.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1")
            await reading.wait()
        stream.close()

    async def test_ends_handlers_that_have_not_answered(self) -> None:
        asked, ended = asyncio.Event(), list[str]()
        app = Application([("/.*", NeverAnswers)], asked=asked, ended=ended)
        tasks = asyncio.all_tasks()
        async with running(app) as url:
            waiting = asyncio.ensure_future(fetch(f"{url}/never"))
            await asked.wait()
        with pytest.raises(HTTPStreamClosedError):
            await waiting
        assert ended == ["/never"]
        assert asyncio.all_tasks() == tasks

    async def test_waits_for_handlers_that_were_cancelled_before_and_tidy(self) -> None:
        asked, tidied = asyncio.Event(), list[str]()

        class Tidies(RequestHandler):
            async def get(self) -> None:
                asked.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    for _ in range(100):
                        await asyncio.sleep(0)
                    tidied.append(self.request.path)

        app = Application([("/.*", Tidies)])
        async with running(app) as url:
            waiting = asyncio.ensure_future(fetch(f"{url}/tidies"))
            await asked.wait()
            [task] = handlers_at_work(app, asyncio.get_running_loop())
            task.cancel()
            # It begins to tidy.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        with pytest.raises(HTTPClientError):
            await waiting
        assert tidied == ["/tidies"]

    async def test_does_not_touch_the_handlers_of_others(self) -> None:
        asked, ended = asyncio.Event(), list[str]()
        other = Application([("/.*", NeverAnswers)], asked=asked, ended=ended)
        async with running(other) as url:
            waiting = asyncio.ensure_future(fetch(url))
            await asked.wait()
            async with running(hello()):
                pass
            assert ended == []
        with pytest.raises(HTTPStreamClosedError):
            await waiting

    async def test_tells_which_handlers_of_an_application_are_at_work(self) -> None:
        asked, ended, loop = asyncio.Event(), list[str](), asyncio.get_running_loop()
        app, other = (
            Application([("/.*", NeverAnswers), ("/", Hello)], asked=asked, ended=ended)
            for _ in range(2)
        )
        async with running(app) as url:
            waiting = asyncio.ensure_future(fetch(f"{url}/never"))
            await asked.wait()
            [(task, handler)] = handlers_at_work(app, loop).items()
            assert isinstance(handler, NeverAnswers)
            assert handlers_at_work(other, loop) == {}
            task.cancel()
            await asyncio.wait([task])
            assert handlers_at_work(app, loop) == {}
        with pytest.raises(HTTPClientError):
            await waiting

    async def test_closes_websockets(self) -> None:
        ended = list[str]()
        async with running(Application([("/chat", Chat)], ended=ended)) as url:
            chat = await websocket_connect(f"{url.replace('http', 'ws')}/chat")
        assert await chat.read_message() is None
        chat.close()
        assert ended == ["/chat"]

    async def test_a_setting_says_what_holds_while_it_runs(self) -> None:
        events = list[str]()

        @contextlib.contextmanager
        def noting() -> Iterator[None]:
            events.append("on")
            yield
            events.append("off")

        async with running(hello(while_running=noting)) as url:
            assert events == ["on"]
            await fetch(url)
        assert events == ["on", "off"]
        # In a thread of its own too; it is left as after a success, and not by a cancellation.
        with running_apart(hello(while_running=noting)):
            assert events == ["on", "off", "on"]
        assert events == ["on", "off", "on", "off"]

    async def test_what_holds_may_have_to_be_awaited(self) -> None:
        events = list[str]()

        @contextlib.asynccontextmanager
        async def noting() -> AsyncIterator[None]:
            events.append("on")
            await asyncio.sleep(0)
            yield
            await asyncio.sleep(0)
            events.append("off")

        async with running(hello(while_running=noting)):
            assert events == ["on"]
        with running_apart(hello(while_running=noting)):
            assert events == ["on", "off", "on"]
        assert events == ["on", "off", "on", "off"]


class TestRunningElsewhere:
    def test_on_own_loop_returns_the_result(self) -> None:
        async def add(a: int, b: int) -> int:
            return a + b

        assert on_own_loop(add, 1, 2) == 3

    def test_on_own_loop_raises_what_was_raised(self) -> None:
        async def fail() -> None:
            raise KeyError("ada")

        with pytest.raises(KeyError, match="ada"):
            on_own_loop(fail)

    async def test_on_own_loop_works_where_a_loop_already_runs(self) -> None:
        here = asyncio.get_running_loop()

        async def loop() -> asyncio.AbstractEventLoop:
            return asyncio.get_running_loop()

        there = on_own_loop(loop)
        assert there is not here
        assert there.is_closed()

    def test_on_own_loop_ends_what_the_coroutine_left(self) -> None:
        class Left:
            async def task(self) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.append("task")

            async def generator(self) -> AsyncIterator[None]:
                try:
                    yield
                finally:
                    await asyncio.sleep(0)
                    ended.append("generator")

        async def leave() -> None:
            left.append(asyncio.ensure_future(Left().task()))
            left.append(Left().generator())
            await anext(left[-1])
            await asyncio.to_thread(lambda: left.append(threading.current_thread()))

        ended, left = list[str](), list[Any]()
        on_own_loop(leave)
        assert ended == ["task", "generator"]
        assert not left[-1].is_alive()

    def test_on_own_loop_does_not_keep_a_program_that_ends(self) -> None:
        async def thread() -> threading.Thread:
            return threading.current_thread()

        assert on_own_loop(thread).daemon

    def test_running_apart_serves_a_caller_that_blocks(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        before, threads = open_descriptors(), threading.active_count()
        with running_apart(hello()) as url, running_apart(hello()) as other:
            assert url != other
            assert requests.get(url, timeout=HANGS).text == "hello"
            assert requests.get(other, timeout=HANGS).text == "hello"
        assert refused(url)
        assert threading.active_count() == threads
        assert open_descriptors() <= before

    def test_running_apart_stops_when_the_block_fails(self) -> None:
        with pytest.raises(ZeroDivisionError), running_apart(hello()) as url:
            _ = 1 / 0
        assert refused(url)


class TestLiteralResolver:
    async def test_requests_arrive_in_the_order_in_which_they_were_sent(self) -> None:
        app = hello(arrived=[])
        async with running(app) as url:
            for _ in range(3):
                await asyncio.gather(*(fetch(f"{url}/?n={n}") for n in range(50)))
        assert app.settings["arrived"] == [str(n) for n in range(50)] * 3

    async def test_names_are_still_looked_up(self) -> None:
        async with running(hello()) as url:
            assert await fetch(url.replace("127.0.0.1", "localhost")) == b"hello"
            with pytest.raises(OSError):
                await fetch("http://no-such-name.invalid/")

    async def test_answers_for_addresses_of_both_kinds(self) -> None:
        resolver = LiteralResolver()
        assert await resolver.resolve("127.0.0.1", 80) == [(socket.AF_INET, ("127.0.0.1", 80))]
        ((family, address),) = await resolver.resolve("::1", 80)
        assert (family, address[:2]) == (socket.AF_INET6, ("::1", 80))

    async def test_a_resolver_that_somebody_chose_stays(self) -> None:
        saved = Resolver._save_configuration()
        try:
            Resolver.configure(BlockingResolver)
            async with running(hello()):
                assert Resolver.configured_class() is BlockingResolver
            Resolver.configure(DefaultLoopResolver)
            async with running(hello()):
                assert Resolver.configured_class() is LiteralResolver
        finally:
            Resolver._restore_configuration(saved)
