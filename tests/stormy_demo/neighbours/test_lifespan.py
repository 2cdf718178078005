"""An ASGI application is told before the first request and after the last, and may refuse."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stormy_demo.neighbours.lifespan import CannotStart, lifespan

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

COMPLETE = {"type": "lifespan.startup.complete"}
STOPPED = {"type": "lifespan.shutdown.complete"}


class App:
    """An application that notes what it is told, and answers as a test says."""

    def __init__(
        self,
        *,
        at_first: Exception | None = None,
        started: dict[str, Any] | None = COMPLETE,
        then: Exception | None = None,
        stopped: dict[str, Any] | None = STOPPED,
        hangs: bool = False,
    ) -> None:
        self.at_first, self.started, self.then = at_first, started, then
        self.stopped, self.hangs = stopped, hangs
        self.told: list[str] = []
        self.tasks: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        if self.at_first:
            raise self.at_first
        await self.hear(receive)
        if self.started:
            scope["state"]["book"] = []
            await send(self.started)
        elif self.hangs:
            await asyncio.Event().wait()
        else:
            return
        if self.then:
            raise self.then
        await self.hear(receive)
        if self.stopped:
            await send(self.stopped)
        elif self.hangs:
            await asyncio.Event().wait()

    async def hear(self, receive: Any) -> None:
        self.told.append((await receive())["type"])
        self.tasks.append(asyncio.current_task())


async def test_starts_and_ends_around_the_block_in_one_task() -> None:
    app = App()
    async with lifespan(app) as state:
        assert app.told == ["lifespan.startup"]
        assert state == {"book": []}
    assert app.told == ["lifespan.startup", "lifespan.shutdown"]
    assert app.tasks[0] is app.tasks[1]
    assert app.scope["type"] == "lifespan"
    assert app.scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}


async def test_ends_also_when_the_block_fails() -> None:
    app = App()
    with pytest.raises(ArithmeticError):
        async with lifespan(app):
            raise ArithmeticError
    assert app.told[-1] == "lifespan.shutdown"


async def test_ends_also_when_the_block_is_cancelled() -> None:
    app, inside = App(), asyncio.Event()

    async def serve() -> None:
        async with lifespan(app):
            inside.set()
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    await inside.wait()
    serving.cancel()
    await asyncio.wait([serving])
    assert serving.cancelled()
    assert app.told[-1] == "lifespan.shutdown"


@pytest.mark.parametrize(
    "app",
    [App(at_first=AssertionError("what is lifespan?")), App(started=None)],
    ids=["raises", "returns"],
)
async def test_an_application_that_knows_of_none_is_served(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    async with lifespan(app) as state:
        assert state == {}
    assert "lifespan.shutdown" not in app.told
    assert not [r for r in caplog.records if r.levelname not in ("DEBUG", "INFO")]


@pytest.mark.parametrize("then", [None, ArithmeticError("five")])
async def test_one_that_says_that_it_cannot_start_is_not(
    then: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    why = "Traceback (most recent call last):\n  ...\nOSError: the disk is full\n"
    app = App(started={"type": "lifespan.startup.failed", "message": why}, then=then)
    with pytest.raises(CannotStart, match=r"^The application cannot start: OSError: the disk"):
        async with lifespan(app):
            raise AssertionError("it is not served")
    [line] = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert line == f"The application cannot start:\n{why.rstrip()}"


async def test_one_that_does_not_say_why_is_not_either() -> None:
    failed: dict[str, Any] = {"type": "lifespan.startup.failed"}
    for started in [failed, {**failed, "message": None}]:
        with pytest.raises(CannotStart, match="does not say why"):
            async with lifespan(App(started=started)):
                pass


async def test_one_that_says_nothing_is_given_up() -> None:
    with pytest.raises(CannotStart, match=r"not started within 0.05 s"):
        async with lifespan(App(started=None, hangs=True), patience=0.05):
            pass


async def test_one_that_is_given_up_says_no_more(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def hangs(_: Any) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    starlette = pytest.importorskip("starlette.applications", reason="no Starlette")
    # It says that it cannot start when it is cancelled.
    app = starlette.Starlette(lifespan=hangs)
    with pytest.raises(CannotStart, match=r"not started within 0.05 s"):
        async with lifespan(app, patience=0.05):
            pass
    starting = asyncio.create_task(lifespan(app).__aenter__())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    del starting
    gc.collect()
    assert not [r for r in caplog.records if r.levelname not in ("DEBUG", "INFO")]


async def test_one_that_does_not_end_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with lifespan(App(stopped=None, hangs=True), patience=0.5):
        pass
    assert "The application has not ended within 0.5 s" in caplog.text


async def test_one_that_fails_as_it_ends_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    failed = {"type": "lifespan.shutdown.failed", "message": "OSError: the disk is full"}
    async with lifespan(App(stopped=failed)):
        pass
    assert "The application failed as it ended:\nOSError: the disk is full" in caplog.text


@pytest.mark.excuse_noise("The lifespan of an application failed")
@pytest.mark.parametrize(
    "app",
    [
        App(then=ArithmeticError("five")),
        App(stopped={"type": "lifespan.startup.complete"}),
        App(stopped={"type": "http.response.start"}),
    ],
    ids=["raises", "says it twice", "talks nonsense"],
)
async def test_one_that_breaks_is_told_of(app: App, caplog: pytest.LogCaptureFixture) -> None:
    async with lifespan(app):
        pass
    [record] = [r for r in caplog.records if r.levelname == "ERROR"]
    assert record.getMessage() == "The lifespan of an application failed"
    assert record.exc_info


@pytest.mark.excuse_noise("The lifespan of an application failed")
async def test_one_that_breaks_while_it_is_served_is_told_of_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with lifespan(App(then=ArithmeticError("five"))):
        async with asyncio.timeout(60):
            while not caplog.records:
                await asyncio.sleep(0)
        assert "The lifespan of an application failed" in caplog.text


async def test_what_is_raised_after_it_has_ended_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        await send(STOPPED)
        raise ArithmeticError("five")

    async with lifespan(app):
        pass
    assert not [r for r in caplog.records if r.levelname not in ("DEBUG", "INFO")]


async def test_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    for app in [App(), App(at_first=ArithmeticError()), App(started=None)]:
        async with lifespan(app):
            pass
    assert asyncio.all_tasks() == before
