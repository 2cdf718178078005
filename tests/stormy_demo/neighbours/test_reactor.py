"""Twisted's reactor on a loop that is not its own: it works, and nothing of it is left."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AddThreadSelectorEventLoop

from stormy_demo.neighbours.line_client import LONGEST, ask
from stormy_demo.neighbours.reactor import shared_reactor
from tests.paths import ROOT

# isort: split
from twisted.internet import threads
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.defer import TimeoutError as TooLateError
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]


class Upper(LineReceiver):
    """Answers in capital letters."""

    delimiter = b"\n"

    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line.upper())


# Seconds after which a test fails and does not hang.
LONG = 20


def listen(reactor: object, protocol: type[LineReceiver]) -> tuple[str, int]:
    factory = Factory.forProtocol(protocol)
    factory.noisy = False
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    return "127.0.0.1", port.getHost().port


def future_of(deferred: Deferred[object]) -> asyncio.Future[object]:
    return deferred.asFuture(asyncio.get_running_loop())


class TestBlock:
    async def test_serves_on_the_loop_that_runs(self) -> None:
        with shared_reactor() as reactor:
            place = listen(reactor, Upper)
            assert await future_of(ask(reactor, place, b"tea")) == b"TEA"

    async def test_can_be_entered_again_and_again_on_one_loop(self) -> None:
        for _ in range(3):
            with shared_reactor() as reactor:
                assert reactor.running
                place = listen(reactor, Upper)
                assert await future_of(ask(reactor, place, b"tea")) == b"TEA"
            assert not reactor.running

    def test_can_be_entered_on_one_loop_after_another(self) -> None:
        async def use() -> bytes:
            with shared_reactor() as reactor:
                return await ask(reactor, listen(reactor, Upper), b"tea").asFuture(loop())

        loop = asyncio.get_running_loop
        assert [asyncio.run(use()) for _ in range(2)] == [b"TEA", b"TEA"]

    async def test_leaves_nothing_open(self, open_descriptors: Callable[[], int]) -> None:
        def left() -> tuple[int, int, int]:
            return open_descriptors(), threading.active_count(), len(asyncio.all_tasks())

        before = left()
        with shared_reactor() as reactor:
            place = listen(reactor, Upper)
            reader, writer = await asyncio.open_connection(*place)
            writer.write(b"tea\n")
            assert await reader.readline() == b"TEA\n"
            await future_of(threads.deferToThread(threading.get_ident))
            reactor.callLater(3600, print)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        assert (
            open_descriptors(),
            threading.active_count(),
            len(asyncio.all_tasks()),
        ) == before
        assert not reactor.getDelayedCalls()
        assert reactor._timerHandle.cancelled()

    async def test_closes_what_was_told_to_close_in_the_next_turn(self) -> None:
        with shared_reactor() as reactor:
            place = listen(reactor, Upper)
            factory = Factory.forProtocol(Upper)
            factory.noisy = False
            port = reactor.listenTCP(0, factory, interface="127.0.0.1")
            other = "127.0.0.1", port.getHost().port
            reactor.addSystemEventTrigger("before", "shutdown", port.stopListening)
        assert not reactor.running
        for each in (place, other):
            with pytest.raises(OSError):
                await asyncio.open_connection(*each)
        with shared_reactor() as reactor:
            port = reactor.listenTCP(0, factory, interface="127.0.0.1")
            other = "127.0.0.1", port.getHost().port
            port.stopListening()
        with pytest.raises(OSError):
            await asyncio.open_connection(*other)

    async def test_closes_connections_that_are_paused_or_are_to_be_aborted(self) -> None:
        class Made(Upper):
            def connectionMade(self) -> None:
                made.set_result(self)

        for what in ("pauseProducing", "abortConnection"):
            made = asyncio.get_running_loop().create_future()
            with shared_reactor() as reactor:
                reader, writer = await asyncio.open_connection(*listen(reactor, Made))
                getattr((await made).transport, what)()
            async with asyncio.timeout(LONG):
                try:
                    assert await reader.read() == b""
                except ConnectionResetError:
                    assert what == "abortConnection"
            writer.close()

    async def test_calls_when_it_is_time_also_who_has_it_when_it_has_ended(self) -> None:
        called = asyncio.Event()
        with shared_reactor() as reactor:
            reactor.callLater(0.01, print)
        await asyncio.sleep(0.02)
        reactor.callLater(0, called.set)
        async with asyncio.timeout(LONG):
            await called.wait()

    async def test_has_what_a_thread_returns_told_although_the_block_has_ended(self) -> None:
        told = asyncio.Event()
        may_go_on = threading.Event()
        with shared_reactor() as reactor:
            reactor.callLater(3600, print)
            threads.deferToThread(may_go_on.wait, LONG).addCallback(lambda _: told.set())
            may_go_on.set()
        async with asyncio.timeout(LONG):
            await told.wait()

    def test_leaves_the_warnings_of_python_alone(self) -> None:
        """Twisted takes them, once in a process."""
        code = (
            "import asyncio, warnings\n"
            "from stormy_demo.neighbours.reactor import shared_reactor\n"
            "async def use():\n"
            "    before = warnings.showwarning\n"
            "    with shared_reactor():\n"
            "        print(warnings.showwarning is before)\n"
            "asyncio.run(use())\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        assert (done.stdout, done.stderr) == ("True\n", "")

    async def test_is_left_clean_when_it_fails(self) -> None:
        with pytest.raises(LookupError), shared_reactor() as reactor:
            place = listen(reactor, Upper)
            raise LookupError
        with pytest.raises(OSError):
            await asyncio.open_connection(*place)
        with shared_reactor():
            pass

    async def test_may_be_stopped_by_somebody_inside_and_the_loop_runs_on(self) -> None:
        """Twisted's own reactor would stop the loop here."""
        with shared_reactor() as reactor:
            place = listen(reactor, Upper)
            reader, writer = await asyncio.open_connection(*place)
            reactor.stop()
            assert await reader.read() == b""
            assert not reactor.running
            writer.close()

    @pytest.mark.skipif(sys.platform == "win32", reason="the loop there is none for Twisted")
    def test_differs_in_that_from_the_one_of_twisted(self) -> None:
        reactors = list[AsyncioSelectorReactor]()

        async def stop() -> None:
            reactors.append(reactor := AsyncioSelectorReactor(asyncio.get_running_loop()))
            reactor.startRunning(installSignalHandlers=False)
            reactor.stop()
            await asyncio.Event().wait()

        with pytest.raises(RuntimeError, match="Event loop stopped before Future completed"):
            asyncio.run(stop())
        reactors[0].waker.connectionLost(None)

    async def test_gives_its_reactor_to_whoever_imports_it(self) -> None:
        with shared_reactor() as reactor:
            from twisted.internet import reactor as imported

            assert imported is reactor
        assert "twisted.internet.reactor" not in sys.modules

    async def test_refuses_a_second_one_which_leaves_the_first_alone(self) -> None:
        with shared_reactor() as reactor:
            with pytest.raises(RuntimeError, match="a reactor already"), shared_reactor():
                pass
            place = listen(reactor, Upper)
            assert await future_of(ask(reactor, place, b"tea")) == b"TEA"

    async def test_leaves_the_handlers_of_signals_alone(self) -> None:
        import signal

        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with shared_reactor():
            assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before

    async def test_runs_on_the_loop_that_tornado_makes_on_windows(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_a_thread = AddThreadSelectorEventLoop(asyncio.get_running_loop())
        monkeypatch.setattr(IOLoop.current(), "selector_loop", with_a_thread)
        try:
            with shared_reactor() as reactor:
                assert reactor._asyncioEventloop is with_a_thread
                place = listen(reactor, Upper)
                assert await future_of(ask(reactor, place, b"tea")) == b"TEA"
        finally:
            with_a_thread._selector.close()


class TestDeferred:
    """What the lesson says of them, and what the shop counts on."""

    async def test_that_is_full_can_be_awaited_and_one_that_is_not_cannot(self) -> None:
        assert await succeed(12) == 12
        with pytest.raises(RuntimeError, match="Task got bad yield: <Deferred"):
            await Deferred()

    async def test_calls_at_once_where_a_future_leaves_a_note(self) -> None:
        order = list[str]()
        future, deferred = asyncio.get_running_loop().create_future(), Deferred[None]()
        future.add_done_callback(lambda _: order.append("future"))
        deferred.addCallback(lambda _: order.append("deferred"))
        future.set_result(None)
        deferred.callback(None)
        order.append("line")
        await asyncio.sleep(0)
        assert order == ["deferred", "line", "future"]

    async def test_that_fails_raises_its_own_exception_with_where_it_was_raised(self) -> None:
        def fails(_: object) -> None:
            raise LookupError("no tea")

        with pytest.raises(LookupError, match="no tea") as caught:
            await future_of(succeed(None).addCallback(fails))
        assert caught.traceback[-1].name == "fails"

    async def test_is_cancelled_with_its_future(self) -> None:
        cancelled = list[object]()
        deferred: Deferred[object] = Deferred(cancelled.append)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(future_of(deferred), 0.01)
        assert cancelled == [deferred]

    async def test_of_a_future_cancels_that(self) -> None:
        future = asyncio.get_running_loop().create_future()
        deferred: Deferred[object] = Deferred.fromFuture(future)
        deferred.addErrback(lambda failure: failure.trap(asyncio.CancelledError))
        deferred.cancel()
        assert future.cancelled()

    async def test_gives_what_it_had_to_the_first_future_alone(self) -> None:
        deferred = succeed(12)
        assert [await future_of(deferred), await future_of(deferred)] == [12, None]

    @pytest.mark.excuse_noise("", "Unhandled error")
    async def test_that_failed_unheard_is_logged_when_nobody_has_it_any_more(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with shared_reactor():
            deferred = fail(LookupError("no tea"))
            assert not caplog.records
            del deferred
        first, second = caplog.records
        assert first.name == "tornado.twisted"
        assert first.getMessage() == "Unhandled error in Deferred:"
        assert second.exc_info and str(second.exc_info[1]) == "no tea"


class TestAsk:
    async def test_fails_when_nobody_listens(self) -> None:
        with shared_reactor() as reactor:
            place = listen(reactor, Upper)
        with shared_reactor() as reactor, pytest.raises(ConnectError):
            await future_of(ask(reactor, place, b"tea"))

    async def test_fails_when_the_server_leaves(self) -> None:
        class Leaves(Upper):
            def lineReceived(self, line: bytes) -> None:
                self.transport.write(b"half a li")
                self.transport.loseConnection()

        with shared_reactor() as reactor, pytest.raises(ConnectionClosed):
            await future_of(ask(reactor, listen(reactor, Leaves), b"tea"))

    async def test_fails_when_a_line_does_not_end(self) -> None:
        class Endless(Upper):
            def lineReceived(self, line: bytes) -> None:
                self.transport.write(b"x" * (LONGEST + 2))

        with shared_reactor() as reactor, pytest.raises(ConnectionClosed):
            await future_of(ask(reactor, listen(reactor, Endless), b"tea"))

    async def test_takes_the_first_line_of_several(self) -> None:
        class Talks(Upper):
            def lineReceived(self, line: bytes) -> None:
                self.transport.write(b"one\ntwo\nthr")

        with shared_reactor() as reactor:
            assert await future_of(ask(reactor, listen(reactor, Talks), b"tea")) == b"one"

    @pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "too late"])
    async def test_hangs_up_on_a_server_that_does_not_answer(self, cancel: bool) -> None:
        class Hangs(Upper):
            def lineReceived(self, line: bytes) -> None:
                asked.set()

            def connectionLost(self, reason: object = connectionDone) -> None:
                hung_up.set()

        asked, hung_up = asyncio.Event(), asyncio.Event()
        with shared_reactor() as reactor:
            place = listen(reactor, Hangs)
            future = future_of(ask(reactor, place, b"tea", patience=600 if cancel else 0.3))
            async with asyncio.timeout(LONG):
                if cancel:
                    await asked.wait()
                    future.cancel()
                with pytest.raises(asyncio.CancelledError if cancel else TooLateError):
                    await future
                if asked.is_set():
                    await hung_up.wait()

    @pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "too late"])
    async def test_fails_in_the_same_way_before_it_is_connected(self, cancel: bool) -> None:
        with shared_reactor() as reactor:
            asked = ask(reactor, listen(reactor, Upper), b"tea", patience=0)
            future = future_of(asked)
            if cancel:
                future.cancel()
            with pytest.raises(asyncio.CancelledError if cancel else TooLateError):
                await future

    async def test_refuses_what_is_not_one_line(self) -> None:
        with shared_reactor() as reactor, pytest.raises(ValueError, match="one line"):
            ask(reactor, listen(reactor, Upper), b"tea\nmilk")

    async def test_hangs_up_when_it_has_its_answer(self) -> None:
        class Stays(Upper):
            def connectionLost(self, reason: object = connectionDone) -> None:
                hung_up.set()

        hung_up = asyncio.Event()
        with shared_reactor() as reactor:
            assert await future_of(ask(reactor, listen(reactor, Stays), b"tea")) == b"TEA"
            async with asyncio.timeout(LONG):
                await hung_up.wait()

    async def test_ends_with_the_reactor(self) -> None:
        class Hangs(Upper):
            def lineReceived(self, line: bytes) -> None:
                asked.set()

        asked = asyncio.Event()
        with shared_reactor() as reactor:
            future = future_of(ask(reactor, listen(reactor, Hangs), b"tea"))
            await asked.wait()
        with pytest.raises(ConnectionClosed):
            await future

    async def test_ends_with_the_reactor_before_it_is_connected(self) -> None:
        with shared_reactor() as reactor:
            future = future_of(ask(reactor, listen(reactor, Upper), b"tea"))
        with pytest.raises(ConnectError):
            await asyncio.wait_for(future, LONG)
