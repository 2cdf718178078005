"""However start, block and stop fail, the real error comes out, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import add_accept_handler, bind_sockets
from tornado.web import Application, RequestHandler, stream_request_body

from loopfilm import CannotListen, on_own_loop, running, running_apart
from tests.loopfilm.servers import HANGS, count_descriptors, refused

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("no_noise")]

BY_SIGNAL = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
MAIN_THREAD = threading.main_thread()

Body = Callable[[str], object]


@pytest.fixture(scope="module")
def tidy() -> None:
    on_own_loop(asyncio.sleep, 0)  # what is made once, for the whole process
    gc.collect()


@pytest.fixture(autouse=True)
def nothing_is_left(tidy: None) -> Iterator[None]:
    descriptors, threads = count_descriptors(), threading.enumerate()
    yield
    assert threading.enumerate() == threads
    if count_descriptors() > descriptors:
        gc.collect()
    assert count_descriptors() <= descriptors


@pytest.fixture
def interruptible() -> Iterator[None]:
    # A shell lets what it starts in the background ignore this signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def main_thread_is_in(*functions: str) -> bool:
    assert MAIN_THREAD.ident
    stack = traceback.walk_stack(sys._current_frames()[MAIN_THREAD.ident])
    return {frame.f_code.co_name for frame, _ in stack}.issuperset(functions)


def interrupt_the_main_thread_in(*functions: str) -> None:
    while not main_thread_is_in(*functions):
        pass
    assert MAIN_THREAD.ident
    # Python misses a signal that comes just before a lock is waited for; a user tries again.
    while main_thread_is_in(*functions):
        signal.pthread_kill(MAIN_THREAD.ident, signal.SIGINT)
        again = time.monotonic() + 1
        while main_thread_is_in(*functions) and time.monotonic() < again:
            time.sleep(0.001)


def run_here(app: Any, body: Body) -> None:
    async def main() -> None:
        async with running(app) as url:
            await asyncio.to_thread(body, url)

    asyncio.run(main())


def run_apart(app: Any, body: Body) -> None:
    with running_apart(app) as url:
        body(url)


both_ways = pytest.mark.parametrize("run", [run_here, run_apart])


def unreachable(_: str) -> None:
    raise AssertionError("it runs")


def no_file(*_: object) -> Any:
    raise FileNotFoundError(errno.ENOENT, "no such file", "answers.txt")


@contextlib.contextmanager
def fails_at_the_end() -> Iterator[None]:
    try:
        yield
    finally:
        _ = 1 / 0


def ask(url: str) -> None:
    """Ask a server that may be gone before it answers."""
    with contextlib.suppress(requests.ConnectionError):
        requests.get(url, timeout=HANGS)


class TestWithAndWithoutALoop:
    @both_ways
    def test_an_error_of_the_block_comes_out(self, run: Any) -> None:
        urls = list[str]()

        def body(url: str) -> None:
            urls.append(url)
            no_file()

        # As it was, and not as a failure to listen, although both are an `OSError`.
        with pytest.raises(FileNotFoundError, match=r"answers\.txt"):
            run(Application(), body)
        assert refused(urls[0])

    @both_ways
    def test_an_error_of_the_applications_own_start_comes_out(self, run: Any) -> None:
        # As it was, and not as a failure to listen, although both are an `OSError`.
        with pytest.raises(FileNotFoundError, match=r"answers\.txt"):
            run(Application(while_running=no_file), unreachable)

    @both_ways
    def test_an_error_of_the_applications_own_end_tells_that_of_the_block(
        self, run: Any
    ) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            run(Application(while_running=fails_at_the_end), no_file)
        assert isinstance(caught.value.__context__, FileNotFoundError)

    @both_ways
    def test_an_error_of_the_applications_own_end_comes_out(self, run: Any) -> None:
        with pytest.raises(ZeroDivisionError):
            run(Application(while_running=fails_at_the_end), ask)

    @both_ways
    def test_what_is_no_context_manager_is_a_mistake(self, run: Any) -> None:
        with pytest.raises(TypeError):
            run(Application(while_running=lambda: None), unreachable)

    @both_ways
    def test_what_is_not_an_application_runs_too(self, run: Any) -> None:
        def answer(request: HTTPServerRequest) -> None:
            assert request.connection
            request.connection.write_headers(
                ResponseStartLine("HTTP/1.1", 204, "No Content"), HTTPHeaders()
            )
            request.connection.finish()

        statuses = list[int]()
        run(answer, lambda url: statuses.append(requests.get(url, timeout=HANGS).status_code))
        assert statuses == [204]


class TestListening:
    async def test_a_port_that_is_taken(self) -> None:
        async with running(Application()) as url:
            port = int(url.rpartition(":")[2])
            before = count_descriptors()
            with pytest.raises(CannotListen) as caught:
                async with running(Application(), port=port):
                    unreachable(url)
            assert str(caught.value).startswith(f"cannot listen on 127.0.0.1, port {port}: ")
            assert "in use" in str(caught.value)
            assert caught.value.errno == errno.EADDRINUSE
            # Not even as long as somebody keeps the error.
            assert count_descriptors() == before

    @pytest.mark.parametrize(
        ("port", "address"),
        [
            (0, "192.0.2.1"),
            (0, "no-such-name.invalid"),
            (0, "a" * 64 + ".invalid"),
            (0, "with\0null"),
            (-1, "127.0.0.1"),
            (65536, "127.0.0.1"),
        ],
    )
    async def test_a_place_that_does_not_exist(self, port: int, address: str) -> None:
        with pytest.raises(CannotListen) as caught:
            async with running(Application(), port=port, address=address):
                unreachable("")
        where = f"cannot listen on {address}, port {port}: "
        assert str(caught.value).startswith(where)
        assert str(caught.value).removeprefix(where)

    async def test_a_kind_of_address_that_the_machine_does_not_have(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # What Tornado returns for ::1 where the kernel has no IPv6.
        monkeypatch.setattr("loopfilm.serving.bind_sockets", lambda *_, **__: [])
        with pytest.raises(CannotListen, match="no addresses of that kind"):
            async with running(Application(), address="::1"):
                unreachable("")

    async def test_the_second_of_two_sockets_that_the_loop_does_not_take(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def two(*_: object, **__: object) -> list[socket.socket]:
            return [*bind_sockets(0, "127.0.0.1"), *bind_sockets(0, "127.0.0.1")]

        def one(*_: object) -> Callable[[], None]:
            if watched:
                raise OSError(errno.ENOSPC, "no space")
            watched.append(True)
            return add_accept_handler(*_)  # type: ignore[arg-type]

        watched = list[bool]()
        monkeypatch.setattr("loopfilm.serving.bind_sockets", two)
        monkeypatch.setattr("tornado.tcpserver.add_accept_handler", one)
        before = count_descriptors()
        with pytest.raises(CannotListen, match="no space"):
            async with running(Application()):
                unreachable("")
        assert count_descriptors() == before
        # The loop does not take the next file with that number for the socket.
        other = socket.socket()
        IOLoop.current().add_handler(other, lambda *_: None, IOLoop.READ)
        IOLoop.current().remove_handler(other)
        other.close()


class Ends(RequestHandler):
    """Ends the loop on which it runs, in the way that its path names."""

    async def get(self, how: str) -> None:
        loop = asyncio.get_running_loop()
        if how == "exit":
            sys.exit("enough")
        elif how == "interrupt":
            raise KeyboardInterrupt
        elif how == "stop":
            loop.stop()
        elif how == "cancel":
            for task in asyncio.all_tasks():
                task.cancel()
        await asyncio.Event().wait()


class TestALoopThatEnds:
    @pytest.mark.parametrize("body", [ask, no_file], ids=["", "and the block fails"])
    @pytest.mark.parametrize(
        ("how", "error"),
        [
            ("exit", SystemExit),
            ("interrupt", KeyboardInterrupt),
            ("stop", RuntimeError),
            ("cancel", asyncio.CancelledError),
        ],
    )
    def test_says_what_ended_it(self, how: str, error: type[BaseException], body: Body) -> None:
        def visit(url: str) -> None:
            urls.append(url)
            ask(f"{url}/{how}")
            body(url)

        urls = list[str]()
        with pytest.raises(error) as caught:
            run_apart(Application([("/(.*)", Ends)]), visit)
        if how == "stop":
            assert "stopped before" in str(caught.value)
        if body is no_file:
            assert isinstance(caught.value.__context__, FileNotFoundError)
        assert refused(urls[0])

    def test_is_also_told_of_by_a_coroutine_that_was_done(self) -> None:
        async def leaves_an_exit() -> None:
            asyncio.get_running_loop().call_soon(sys.exit, "enough")

        with pytest.raises(SystemExit, match="enough"):
            on_own_loop(leaves_an_exit)

    def test_even_by_force_keeps_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        async def close_by_force() -> None:
            loop = asyncio.get_running_loop()
            loop.is_running = lambda: False
            loop.close()
            await asyncio.Event().wait()

        # asyncio complains of the task, which nobody could end.
        caplog.set_level("CRITICAL", "asyncio")
        with pytest.raises((AttributeError, RuntimeError, ValueError)) as caught:
            on_own_loop(close_by_force)
        # What went wrong, and not what could not be done afterwards.
        assert "loop is closed" not in str(caught.value)
        del caught
        gc.collect()


start_anything = pytest.mark.parametrize(
    "start",
    [
        lambda: run_apart(Application(), unreachable),
        lambda: on_own_loop(asyncio.Event().wait),
    ],
    ids=["running_apart", "on_own_loop"],
)


class TestAStart:
    @start_anything
    @pytest.mark.parametrize(
        "error", [RuntimeError("can't start new thread"), KeyboardInterrupt()], ids=repr
    )
    def test_that_has_no_thread(
        self, monkeypatch: pytest.MonkeyPatch, start: Any, error: BaseException
    ) -> None:
        def fails(_: threading.Thread) -> None:
            raise error

        monkeypatch.setattr(threading.Thread, "start", fails)
        with pytest.raises(type(error)) as caught:
            start()
        assert caught.value is error

    @start_anything
    def test_that_is_interrupted_when_the_thread_is_there(
        self, monkeypatch: pytest.MonkeyPatch, start: Any
    ) -> None:
        def interrupted(thread: threading.Thread) -> None:
            really(thread)
            raise KeyboardInterrupt

        really = threading.Thread.start
        monkeypatch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            start()

    @BY_SIGNAL
    @pytest.mark.usefixtures("interruptible")
    def test_that_is_interrupted_while_the_application_starts(self) -> None:
        events = list[str]()

        @contextlib.contextmanager
        def interrupts() -> Iterator[None]:
            events.append("on")
            interrupt_the_main_thread_in("wait", "running_apart")
            try:
                yield
            finally:
                events.append("off")

        with pytest.raises(KeyboardInterrupt):
            run_apart(Application(while_running=interrupts), unreachable)
        assert events == ["on", "off"]


@pytest.mark.usefixtures("interruptible")
@BY_SIGNAL
class TestABlock:
    def test_that_is_interrupted(self) -> None:
        def body(url: str) -> None:
            urls.append(url)
            signal.raise_signal(signal.SIGINT)

        urls = list[str]()
        with pytest.raises(KeyboardInterrupt):
            run_apart(Application(), body)
        assert refused(urls[0])

    def test_that_waits_for_a_coroutine_is_interrupted(self) -> None:
        ended = list[bool]()

        async def hang() -> None:
            interrupt_the_main_thread_in("result", "on_own_loop")
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        with pytest.raises(KeyboardInterrupt):
            on_own_loop(hang)
        assert ended == [True]


class TestAGeneratorThatNobodyCloses:
    def test_is_closed_by_the_garbage_collector(self) -> None:
        url = running_apart(Application()).__enter__()
        gc.collect()
        assert refused(url)

    def test_is_closed_even_in_the_thread_of_the_server(self) -> None:
        class Forgets(RequestHandler):
            def get(self) -> None:
                self.settings["kept"].clear()
                gc.collect()

        kept = list[Any]()
        kept.append(running_apart(Application([("/", Forgets)], kept=kept)))
        before = threading.enumerate()
        url = kept[0].__enter__()
        [server] = set(threading.enumerate()) - set(before)
        ask(url)
        server.join()
        assert refused(url)

    def test_is_closed_with_the_loop(self) -> None:
        async def main() -> str:
            self.kept = running(Application())
            return await self.kept.__aenter__()

        assert refused(asyncio.run(main()))

    def test_is_closed_although_its_loop_is_closed(self) -> None:
        async def served(url: str) -> IOStream:
            stream = await connect(url)
            await stream.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.read_until(b"\r\n\r\n")
            return stream

        with contextlib.closing(asyncio.new_event_loop()) as loop:
            kept = running(Application())
            url = loop.run_until_complete(kept.__aenter__())
            stream = loop.run_until_complete(served(url))
            stream.close()
        del kept
        gc.collect()
        assert refused(url)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopfilm.ending.GRACE_PERIOD", 0.1)


class Waits(RequestHandler):
    async def get(self) -> None:
        self.settings["asked"].set()
        try:
            await asyncio.Event().wait()
        finally:
            self.settings["ended"].append(self.request.path)


class Refuses(RequestHandler):
    """Goes on when it is cancelled, until the settings say that it is over."""

    async def get(self) -> None:
        self.settings["asked"].set()
        while not self.settings["over"].is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.settings["over"].wait()


class Detaches(RequestHandler):
    async def get(self) -> None:
        self.settings["detached"].append(self.detach())
        self.settings["asked"].set()


@stream_request_body
class Upload(RequestHandler):
    """Never has enough of the first bytes that it got."""

    def data_received(self, chunk: bytes) -> asyncio.Future[None]:
        self.settings["asked"].set()
        return asyncio.Future()


async def connect(url: str) -> IOStream:
    return await IOStream(socket.socket()).connect(("127.0.0.1", int(url.rpartition(":")[2])))


async def get(url: str, asked: asyncio.Event, path: str = "/") -> IOStream:
    """Send a request, and return when its handler has it."""
    asked.clear()
    stream = await connect(url)
    await stream.write(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
    await asked.wait()
    return stream


async def tasks_but(before: set[Any]) -> set[Any]:
    """Tasks that are new, once all have been noticed to end that did."""
    for _ in range(3):
        await asyncio.sleep(0)
    return asyncio.all_tasks() - before


start_anything_that_ends = pytest.mark.parametrize(
    "start",
    [lambda: run_apart(Application(), str), lambda: on_own_loop(asyncio.sleep, 0)],
    ids=["running_apart", "on_own_loop"],
)


class TestAStop:
    @pytest.mark.usefixtures("hurried")
    async def test_does_not_wait_for_ever_for_a_handler(self) -> None:
        asked, over, before = asyncio.Event(), asyncio.Event(), asyncio.all_tasks()
        async with running(Application([("/", Refuses)], asked=asked, over=over)) as url:
            stream = await get(url, asked)
        assert len(await tasks_but(before)) == 1
        over.set()
        assert not await tasks_but(before)
        stream.close()

    @pytest.mark.usefixtures("hurried")
    def test_does_not_wait_for_ever_for_a_handler_of_another_thread(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def visit(url: str) -> None:
            client = threading.Thread(target=ask, args=[url])
            client.start()
            asked.wait()
            clients.append(client)

        # asyncio complains of the handler, which nobody could end.
        caplog.set_level("CRITICAL", "asyncio")
        asked, clients = threading.Event(), list[threading.Thread]()
        run_apart(Application([("/", Refuses)], asked=asked, over=asyncio.Event()), visit)
        clients[0].join()
        gc.collect()

    @pytest.mark.usefixtures("hurried")
    def test_does_not_hide_that_the_application_had_stopped_it_before(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class CancelsAll(Refuses):
            async def get(self) -> None:
                for task in asyncio.all_tasks():
                    task.cancel()
                await super().get()

        def visit(url: str) -> None:
            client = threading.Thread(target=ask, args=[url])
            client.start()
            asked.wait()
            clients.append(client)

        caplog.set_level("CRITICAL", "asyncio")
        asked, clients = threading.Event(), list[threading.Thread]()
        app = Application([("/", CancelsAll)], asked=asked, over=asyncio.Event())
        with pytest.raises(asyncio.CancelledError):
            run_apart(app, visit)
        clients[0].join()
        gc.collect()

    @start_anything_that_ends
    def test_waits_for_its_thread(self, monkeypatch: pytest.MonkeyPatch, start: Any) -> None:
        def run_and_linger(thread: threading.Thread) -> None:
            run(thread)
            while not (main_thread_is_in("join") or over.is_set()):
                pass

        run, over, before = threading.Thread.run, threading.Event(), threading.enumerate()
        monkeypatch.setattr(threading.Thread, "run", run_and_linger)
        start()
        after = threading.enumerate()
        over.set()
        assert after == before

    @pytest.mark.usefixtures("hurried")
    async def test_closes_all_connections_although_several_are_stuck(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        # Tornado logs that the uploads were cut off.
        caplog.set_level("CRITICAL", "tornado.application")
        asked, before = asyncio.Event(), asyncio.all_tasks()
        streams = list[IOStream]()
        async with running(Application([("/", Upload)], asked=asked)) as url:
            for _ in range(3):
                asked.clear()
                streams.append(await connect(url))
                await streams[-1].write(
                    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1"
                )
                await asked.wait()
            streams.append(await connect(url))
        for stream in streams:
            with pytest.raises(StreamClosedError):
                await stream.read_bytes(1)
        assert not await tasks_but(before)

    async def test_closes_connections_that_a_handler_took_over(self) -> None:
        asked, detached = asyncio.Event(), list[IOStream]()
        app = Application([("/", Detaches)], asked=asked, detached=detached)
        async with running(app) as url:
            stream = await get(url, asked)
            assert not detached[0].closed()
        assert detached[0].closed()
        stream.close()

    async def test_ends_the_handlers_of_this_server_alone(self) -> None:
        asked, ended = asyncio.Event(), list[str]()
        app = Application([("/.*", Waits)], asked=asked, ended=ended)
        async with running(app) as url:
            stays = await get(url, asked, "/stays")
            async with running(app) as other:
                goes = await get(other, asked, "/goes")
            assert ended == ["/goes"]
        assert ended == ["/goes", "/stays"]
        stays.close()
        goes.close()

    async def test_ends_handlers_also_when_it_is_cancelled_itself(self) -> None:
        asked, ended, before = asyncio.Event(), list[str](), asyncio.all_tasks()
        app = Application([("/.*", Waits)], asked=asked, ended=ended)

        async def main() -> None:
            async with running(app) as url:
                streams.append(await get(url, asked))
                stopping.set()

        streams, stopping = list[IOStream](), asyncio.Event()
        stop = asyncio.ensure_future(main())
        await stopping.wait()
        stop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stop
        assert ended == ["/"]
        assert not await tasks_but(before)
        streams[0].close()

    async def test_does_not_take_the_end_of_another_task_for_its_own(self) -> None:
        before = asyncio.all_tasks()
        async with running(Application()) as url:
            stream = await connect(url)
            while asyncio.all_tasks() == before:
                await asyncio.sleep(0)
            for task in asyncio.all_tasks() - before:
                task.cancel()
        assert not await tasks_but(before)
        stream.close()
