"""Plain code that waits behaves like a coroutine that awaits."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import inspect
import weakref
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import greenlet
import pytest
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler

from loopfilm import running
from tests.awaitables import fail, soon
from tornalet import can_wait, run, tornalet, wait

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

USER: contextvars.ContextVar[str] = contextvars.ContextVar("USER", default="nobody")


class TestRun:
    async def test_gives_arguments_and_brings_back_the_result(self) -> None:
        def add(a: int, *, b: int) -> int:
            return a + b

        assert await run(add, 1, b=2) == 3

    async def test_plain_code_gets_what_it_waits_for(self) -> None:
        future: asyncio.Future[str] = asyncio.Future()
        asyncio.get_running_loop().call_soon(future.set_result, "future")

        def plain() -> list[Any]:
            return [
                wait(soon("coroutine")),
                wait(future),
                wait(asyncio.create_task(soon("task"))),
            ]

        assert await run(plain) == ["coroutine", "future", "task"]

    async def test_exceptions_pass_in_both_directions(self) -> None:
        seen = list[BaseException]()

        def plain() -> None:
            try:
                wait(fail(KeyError("ada")))
            except KeyError as error:
                seen.append(error)
            raise ValueError("grace")

        with pytest.raises(ValueError, match="grace"):
            await run(plain)
        assert isinstance(seen[0], KeyError)

    async def test_a_traceback_shows_where_the_exception_came_from(self) -> None:
        with pytest.raises(ValueError, match="no") as raised:
            await run(lambda: wait(fail(ValueError("no"))))
        assert raised.traceback[-1].name == "fail"

    async def test_plain_code_may_go_on_after_an_exception(self) -> None:
        def plain() -> Any:
            with contextlib.suppress(KeyError):
                wait(fail(KeyError()))
            return wait(soon("fine"))

        assert await run(plain) == "fine"

    async def test_a_stop_iteration_becomes_a_runtime_error_as_in_a_coroutine(self) -> None:
        async def coroutine() -> None:
            raise StopIteration("ada")

        def plain() -> None:
            raise StopIteration("ada")

        with pytest.raises(RuntimeError) as expected:
            await coroutine()
        with pytest.raises(RuntimeError) as raised:
            await run(plain)
        assert str(raised.value) == str(expected.value)

    async def test_a_greenlet_exit_is_no_way_to_return(self) -> None:
        def plain() -> None:
            raise greenlet.GreenletExit

        with pytest.raises(RuntimeError, match="plain code raised GreenletExit") as raised:
            await run(plain)
        assert isinstance(raised.value.__cause__, greenlet.GreenletExit)

    async def test_waiting_for_what_cannot_be_awaited_is_a_type_error(self) -> None:
        def plain() -> None:
            wait("ada")  # type: ignore[arg-type]

        with pytest.raises(TypeError, match=r"wait\(\) needs an awaitable.*: not 'ada'"):
            await run(plain)

    @pytest.mark.parametrize("given", [5, None, "ada"], ids=str)
    async def test_what_is_no_function_is_named(self, given: Any) -> None:
        with pytest.raises(TypeError, match=r"run\(\) needs a function") as raised:
            await run(given)
        assert str(raised.value).endswith(f"not {given!r}")

    async def test_a_coroutine_function_is_refused(self) -> None:
        @gen.coroutine
        def yields() -> Any:
            yield soon("ada")

        for function in (soon, functools.partial(soon, "ada"), yields):
            with pytest.raises(
                TypeError, match=r"run\(\) is for plain code: await .* without it"
            ):
                await run(function)

    async def test_plain_code_may_have_a_parameter_of_any_name(self) -> None:
        def add(function: int, plain: int, handler: int) -> int:
            return function + plain + handler

        assert await run(add, function=1, plain=2, handler=3) == 6

    async def test_many_take_turns(self) -> None:
        """Everybody has begun before anybody ends."""
        events = list[str]()

        def plain(name: str) -> str:
            events.append(f"{name} begins")
            wait(asyncio.sleep(0))
            events.append(f"{name} ends")
            return name

        names = [str(n) for n in range(100)]
        assert await asyncio.gather(*(run(plain, name) for name in names)) == names
        assert events == [f"{n} begins" for n in names] + [f"{n} ends" for n in names]

    async def test_plain_code_may_run_coroutines_that_run_plain_code(self) -> None:
        def outer() -> Any:
            return "outer " + wait(middle())

        async def middle() -> str:
            return "middle " + await run(inner)

        def inner() -> str:
            return str(wait(soon("inner")))

        assert await run(outer) == "outer middle inner"

    async def test_it_can_wait_only_inside(self) -> None:
        async def coroutine() -> bool:
            return can_wait()

        assert not can_wait()
        assert await run(can_wait)
        assert not await run(lambda: wait(coroutine()))
        assert not can_wait()

    async def test_another_task_in_its_greenlet_cannot_wait(self) -> None:
        """What starts at once, where it is made, runs in the greenlet of who makes it."""

        def plain() -> list[bool]:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task
            asyncio.tasks._leave_task(loop, task)  # type: ignore[attr-defined]
            asyncio.tasks._enter_task(loop, other)  # type: ignore[attr-defined]
            try:
                there = can_wait()
            finally:
                asyncio.tasks._leave_task(loop, other)  # type: ignore[attr-defined]
                asyncio.tasks._enter_task(loop, task)  # type: ignore[attr-defined]
            return [there, can_wait()]

        other = asyncio.create_task(soon("other"))
        assert await run(plain) == [False, True]
        await other

    async def test_it_goes_on_in_whatever_task_awaits_it_then(self) -> None:
        def plain() -> bool:
            wait(asyncio.sleep(0))
            return can_wait()

        coroutine = run(plain)
        coroutine.send(None)
        assert await asyncio.create_task(coroutine)

    def test_where_no_loop_runs_nobody_can_wait(self) -> None:
        coroutine = run(can_wait)
        with pytest.raises(StopIteration) as returned:
            coroutine.send(None)
        assert returned.value.value is False


class TestContext:
    async def test_plain_code_sees_the_variables_of_its_caller(self) -> None:
        USER.set("ada")
        assert await run(USER.get) == "ada"

    async def test_the_caller_sees_what_plain_code_sets(self) -> None:
        def plain() -> None:
            USER.set("ada")
            wait(asyncio.sleep(0))

        await run(plain)
        assert USER.get() == "ada"

    async def test_a_variable_keeps_its_value_across_a_wait(self) -> None:
        def plain(name: str) -> tuple[str, str]:
            USER.set(name)
            wait(asyncio.sleep(0))
            return name, USER.get()

        tasks = [asyncio.create_task(run(plain, str(n))) for n in range(10)]
        assert all(name == seen for name, seen in await asyncio.gather(*tasks))
        assert USER.get() == "nobody"

    async def test_what_is_awaited_runs_in_the_same_context(self) -> None:
        async def coroutine() -> None:
            assert USER.get() == "ada"
            USER.set("grace")

        def plain() -> str:
            USER.set("ada")
            wait(coroutine())
            return USER.get()

        assert await run(plain) == "grace"


class TestTheEnd:
    async def test_a_cancellation_reaches_plain_code(self) -> None:
        events = list[str]()

        def plain() -> None:
            try:
                events.append("waits")
                wait(asyncio.Event().wait())
            except asyncio.CancelledError:
                events.append("cancelled")
                raise
            finally:
                wait(asyncio.sleep(0))
                events.append("cleaned up")

        task = asyncio.create_task(run(plain))
        while not events:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert events == ["waits", "cancelled", "cleaned up"]

    async def test_a_deadline_ends_plain_code(self) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await run(wait, asyncio.Event().wait())

    @pytest.mark.parametrize("abandon", ["close", "forget"])
    async def test_an_abandoned_coroutine_ends_its_greenlet(self, abandon: str) -> None:
        events, greenlets = list[str](), list[weakref.ref[Any]]()

        def plain() -> None:
            greenlets.append(weakref.ref(greenlet.getcurrent()))
            try:
                wait(asyncio.sleep(0))
            finally:
                events.append("cleaned up")

        coroutine = run(plain)
        coroutine.send(None)
        if abandon == "close":
            coroutine.close()
        del coroutine
        gc.collect()
        assert events == ["cleaned up"]
        assert greenlets[0]() is None

    @pytest.mark.parametrize(
        "never", [lambda: soon("never"), asyncio.Future[str]], ids=["a coroutine", "a future"]
    )
    async def test_code_that_is_closed_can_wait_for_nothing(
        self, never: Callable[[], Awaitable[str]]
    ) -> None:
        events = list[str]()

        def plain() -> None:
            try:
                wait(asyncio.sleep(0))
            finally:
                for _ in range(2):
                    try:
                        wait(never())
                    except RuntimeError as error:
                        events.append(str(error))

        coroutine = run(plain)
        coroutine.send(None)
        coroutine.close()
        assert events == ["wait() in code that nobody awaits any more"] * 2
        gc.collect()  # A coroutine that nobody awaited would complain now.

    async def test_code_that_does_not_end_is_left_where_it_stands(self) -> None:
        tries = list[BaseException]()

        def plain() -> None:
            while True:
                try:
                    wait(asyncio.sleep(0))
                except BaseException as error:
                    tries.append(error)

        coroutine = run(plain)
        coroutine.send(None)
        coroutine.close()
        assert 1 < len(tries) < 1000

    async def test_a_finished_greenlet_is_gone(self) -> None:
        greenlets = list[weakref.ref[Any]]()

        def plain() -> None:
            greenlets.append(weakref.ref(greenlet.getcurrent()))
            wait(asyncio.sleep(0))

        await run(plain)
        gc.collect()
        assert greenlets[0]() is None


class TestWaitElsewhere:
    async def test_wait_says_what_is_missing(self) -> None:
        with pytest.raises(RuntimeError, match="@tornalet"):
            wait(asyncio.sleep(0))
        gc.collect()  # An abandoned coroutine would complain now.

    def test_wait_says_so_without_a_loop_too(self) -> None:
        with pytest.raises(RuntimeError, match="@tornalet"):
            wait(soon("ada"))
        gc.collect()

    async def test_a_future_is_left_as_it_is(self) -> None:
        future = asyncio.Future[str]()
        with pytest.raises(RuntimeError, match="@tornalet"):
            wait(future)
        assert not future.done()

    @pytest.mark.parametrize("given", [5, None, soon], ids=["number", "nothing", "no call"])
    def test_what_cannot_be_awaited_is_named_there_too(self, given: Any) -> None:
        with pytest.raises(TypeError, match="needs an awaitable") as raised:
            wait(given)
        assert str(raised.value).endswith(f"not {given!r}")

    def test_what_is_long_is_named_in_short(self) -> None:
        with pytest.raises(TypeError, match="needs an awaitable") as raised:
            wait(b"x" * 1_000_000)  # type: ignore[arg-type]
        assert len(str(raised.value)) < 200

    async def test_a_greenlet_of_somebody_else_is_no_place_to_wait(self) -> None:
        def plain() -> None:
            assert not can_wait()
            wait(asyncio.sleep(0))

        with pytest.raises(RuntimeError, match="@tornalet"):
            greenlet.greenlet(plain).switch()


class Handler(RequestHandler):
    @tornalet
    def prepare(self) -> None:
        """Find out who it is."""
        self.user = wait(soon(self.get_argument("user")))

    @tornalet
    def get(self, thing: str) -> None:
        """Answer."""
        wait(asyncio.sleep(0))
        self.write(f"{thing} of {self.user}")

    @tornalet
    def post(self, thing: str) -> None:
        wait(fail(ValueError(thing)))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish(repr(kwargs["exc_info"][1]))

    def log_exception(self, *args: Any) -> None:
        """Say nothing: the tests look at the answer."""


class TestHandlers:
    async def test_prepare_and_get_may_wait(self) -> None:
        async with running(Application([("/(.*)", Handler)])) as url:
            response = await AsyncHTTPClient().fetch(f"{url}/profile?user=ada")
        assert response.body == b"profile of ada"

    async def test_an_exception_becomes_an_error_of_the_handler(self) -> None:
        async with running(Application([("/(.*)", Handler)])) as url:
            response = await AsyncHTTPClient().fetch(
                f"{url}/profile?user=ada", method="POST", body="", raise_error=False
            )
        assert (response.code, response.body) == (500, b"ValueError('profile')")

    async def test_a_method_keeps_its_name_and_its_docstring(self) -> None:
        def get(self: RequestHandler) -> None:
            """Answer."""

        decorated: Callable[..., Awaitable[None]]
        for decorated in (tornalet(get), tornalet(cancel_when_gone=True)(get)):
            assert inspect.iscoroutinefunction(decorated)
            assert decorated.__doc__ == "Answer."
            assert decorated.__qualname__ == get.__qualname__
            assert inspect.signature(decorated) == inspect.signature(get)

    @pytest.mark.parametrize("decorator", [tornalet, tornalet(cancel_when_gone=True)])
    def test_a_method_that_can_await_for_itself_is_refused(self, decorator: Any) -> None:
        async def get(self: RequestHandler) -> None:
            """Answer."""

        with pytest.raises(TypeError, match="take away the async, or the decorator"):
            decorator(get)

    @pytest.mark.parametrize("decorator", [tornalet, tornalet(cancel_when_gone=True)])
    def test_so_is_one_that_yields(self, decorator: Any) -> None:
        def get(self: RequestHandler) -> Any:
            yield soon("ada")

        async def get_more(self: RequestHandler) -> Any:
            yield await soon("ada")

        for generator in (get, get_more):
            with pytest.raises(TypeError, match=r"say wait\(...\) where this one says yield"):
                decorator(generator)
        with pytest.raises(TypeError, match=r"take away the gen\.coroutine, or the decorator"):
            decorator(gen.coroutine(get))

    @pytest.mark.parametrize("decorator", [tornalet, tornalet(cancel_when_gone=True)])
    async def test_what_a_method_returns_is_awaited_as_tornado_does(
        self, decorator: Any
    ) -> None:
        class Late(RequestHandler):
            @decorator  # type: ignore[untyped-decorator]
            def get(self, handler: str) -> Awaitable[None]:
                return self.answer(handler)

            async def answer(self, thing: str) -> None:
                await asyncio.sleep(0)
                self.write(await soon(thing))

            @decorator  # type: ignore[untyped-decorator]
            def post(self, handler: str) -> Awaitable[None]:
                return self.finish(handler)

        async with running(Application([("/(?P<handler>.*)", Late)])) as url:
            fetch = AsyncHTTPClient().fetch
            assert (await fetch(f"{url}/profile")).body == b"profile"
            assert (await fetch(f"{url}/friends", method="POST", body="")).body == b"friends"

    @pytest.mark.parametrize("decorator", [tornalet, tornalet(cancel_when_gone=True)])
    async def test_a_generator_that_a_method_returns_is_an_error(self, decorator: Any) -> None:
        class Read(Handler):
            @decorator  # type: ignore[untyped-decorator]
            def get(self, thing: str) -> Any:
                return (letter for letter in thing)

        async with running(Application([("/(.*)", Read)])) as url:
            response = await AsyncHTTPClient().fetch(f"{url}/x?user=ada", raise_error=False)
        assert response.code == 500
        assert b"nobody reads what the method returned, <generator" in response.body

    @pytest.mark.parametrize("decorator", [tornalet, tornalet(cancel_when_gone=True)])
    @pytest.mark.parametrize("given", [5, "get", ["get"]], ids=str)
    def test_what_is_no_method_is_named_at_once(self, decorator: Any, given: Any) -> None:
        with pytest.raises(TypeError, match="is for methods") as raised:
            decorator(given)
        assert repr(given) in str(raised.value)


class Visited(RequestHandler):
    """Waits for as long as its client, or longer, and notes what becomes of it."""

    def wait_for_ever(self) -> None:
        self.settings["seen"].append("began")
        try:
            wait(self.settings["news"].wait())
            self.settings["seen"].append("went on")
        except asyncio.CancelledError:
            self.settings["seen"].append("cancelled")
            if "anyway" in self.request.arguments:
                return
            raise
        finally:
            self.settings["seen"].append("cleaned up")

    get = tornalet(cancel_when_gone=True)(wait_for_ever)
    post = tornalet(wait_for_ever)

    def on_finish(self) -> None:
        self.settings["seen"].append("finished")

    def on_connection_close(self) -> None:
        self.settings["seen"].append("told")


class TestAClientThatHasGone:
    async def visit_and_go(self, first_line: str) -> list[str]:
        seen, news = list[str](), asyncio.Event()
        async with running(Application([("/", Visited)], seen=seen, news=news)) as url:
            host, port = url.removeprefix("http://").split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"{first_line} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
            )
            await until(lambda: "began" in seen)
            writer.close()
            await until(lambda: "told" in seen)
            news.set()
            await until(lambda: "finished" in seen)
        return seen

    async def test_ends_the_handler_if_that_is_asked_for(self) -> None:
        seen = await self.visit_and_go("GET /")
        assert seen == ["began", "told", "cancelled", "cleaned up", "finished"]

    async def test_need_not_end_code_that_goes_on_anyway(self) -> None:
        seen = await self.visit_and_go("GET /?anyway")
        assert seen == ["began", "told", "cancelled", "cleaned up", "finished"]

    async def test_is_no_concern_of_a_handler_otherwise(self) -> None:
        seen = await self.visit_and_go("POST /")
        assert seen == ["began", "told", "went on", "cleaned up", "finished"]

    async def test_leaves_the_cancellation_of_others_alone(self) -> None:
        client = Client()
        plain = tornalet(cancel_when_gone=True)(lambda handler: wait(asyncio.Event().wait()))
        task = asyncio.create_task(plain(client.handler))
        await until(lambda: client.close is not client.told)
        task.cancel()
        client.close()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_leaves_no_cancellation_behind_in_code_that_goes_on(self) -> None:
        def anyway(handler: Any) -> str:
            with contextlib.suppress(asyncio.CancelledError):
                wait(asyncio.Event().wait())
            return "answer"

        client = Client()
        task = asyncio.create_task(tornalet(cancel_when_gone=True)(anyway)(client.handler))
        await until(lambda: client.close is not client.told)
        client.close()
        assert await task == "answer"
        assert task.cancelling() == 0

    async def test_before_the_method_begins_it_does_not_begin(self) -> None:
        client, began = Client(), list[Any]()
        client.stream = SimpleNamespace(closed=lambda: True)
        assert await tornalet(cancel_when_gone=True)(began.append)(client.handler) is None
        assert began == []

    async def test_means_nothing_to_a_method_that_is_through(self) -> None:
        client = Client()
        plain = tornalet(cancel_when_gone=True)(lambda handler: wait(soon("answer")))
        assert await plain(client.handler) == "answer"
        assert client.close is client.told

    async def test_after_the_answer_is_a_matter_of_the_next_request(self) -> None:
        def finish(handler: Any) -> None:
            handler._finished = True
            client.set_close_callback(following)

        def following() -> None:
            """Be told by the connection."""

        client = Client()
        await tornalet(cancel_when_gone=True)(finish)(client.handler)
        assert client.close is following

    async def test_cannot_be_told_by_a_connection_that_is_none(self) -> None:
        client, began = Client(), list[Any]()
        client.handler.request.connection = None
        with pytest.raises(AttributeError):
            await tornalet(cancel_when_gone=True)(began.append)(client.handler)
        assert began == []
        gc.collect()  # A coroutine that nobody awaited would complain now.


class Client:
    """A stand-in for the connection, which calls what it was told to call when it closes."""

    stream: Any = None

    def __init__(self) -> None:
        self.told = self.close = lambda: None
        request = SimpleNamespace(connection=self)
        self.handler: Any = SimpleNamespace(
            request=request, on_connection_close=self.told, _finished=False
        )

    def set_close_callback(self, callback: Callable[[], None]) -> None:
        self.close = callback


async def until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(500):
        while not happens():
            await asyncio.sleep(0.001)
