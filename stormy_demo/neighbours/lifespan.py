"""What an ASGI application does before the first request, and after the last.

It opens its database there, and closes it. Whoever serves it tells it when, by the "Lifespan
Protocol" of the ASGI specification, version 2.0::

    async with lifespan(app) as state:  # for `AsgiHandler`
        ...
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.log import app_log

from loopfilm.ending import end

from .asgi_scope import AsgiApp, Message


class CannotStart(Exception):
    """The application has said that it cannot start, or has said nothing for too long."""


@asynccontextmanager
async def lifespan(app: AsgiApp, patience: float = 60.0) -> AsyncIterator[dict[str, Any]]:
    """Have an application start, and have it end when the block ends.

    One that knows nothing of this protocol is served all the same.

    Args:
        app: the application.
        patience: seconds to start, and again to end.

    Yields:
        What the application keeps for its requests ("Lifespan State").

    Raises:
        CannotStart: it cannot. Why in detail is in the log.
    """
    talk = _Talk()
    state: dict[str, Any] = {}
    versions = {"version": "3.0", "spec_version": "2.0"}
    scope = {"type": "lifespan", "asgi": versions, "state": state}

    async def live() -> None:
        await app(scope, talk.receive, talk.send)

    # One task for both ends: what is opened in a task must often be closed in it.
    living = asyncio.create_task(live())
    living.add_done_callback(talk.note_the_end)
    try:
        if not await talk.say("startup", talk.started, living, patience):
            raise CannotStart(f"The application has not started within {patience:g} s")
        if talk.started.done():
            talk.started.result()
        try:
            yield state
        finally:
            # "The server must continue but not send any lifespan events", if it knows of none.
            if talk.started.done() and not await talk.say(
                "shutdown", talk.stopped, living, patience
            ):
                app_log.error("The application has not ended within %g s", patience)
    finally:
        # What it says of its being cancelled is nobody's affair.
        talk.is_over = True
        await end([living])


class _Talk:
    """What is said between the two."""

    def __init__(self) -> None:
        self.is_over = False
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def note_the_end(self, living: asyncio.Task[None]) -> None:
        """Log why an application has ended, if it raised something."""
        if not living.cancelled() and (error := living.exception()):
            has_started = self.started.done() and not self.started.exception()
            # Most raise after they have said that they failed, and some instead of it.
            is_news = has_started and not self.stopped.done()
            level = logging.ERROR if is_news else logging.DEBUG
            app_log.log(level, "The lifespan of an application failed", exc_info=error)

    async def say(
        self,
        what: str,
        answered: asyncio.Future[None],
        living: asyncio.Task[None],
        patience: float,
    ) -> bool:
        """Tell the application something, and wait for its answer, or its end."""
        self.messages.put_nowait({"type": f"lifespan.{what}"})
        either: set[asyncio.Future[None]] = {answered, living}
        done, _ = await asyncio.wait(
            either, timeout=patience, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)

    async def receive(self) -> Message:
        return await self.messages.get()

    async def send(self, message: Message) -> None:
        if self.is_over:
            return
        why = str(message.get("message") or "")
        match message["type"]:
            case "lifespan.startup.complete" if not self.started.done():
                self.started.set_result(None)
            case "lifespan.startup.failed" if not self.started.done():
                app_log.error("The application cannot start:\n%s", why.rstrip())
                *_, last = why.strip().splitlines() or ["it does not say why"]
                self.started.set_exception(CannotStart(f"The application cannot start: {last}"))
            case "lifespan.shutdown.complete" if not self.stopped.done():
                self.stopped.set_result(None)
            case "lifespan.shutdown.failed" if not self.stopped.done():
                app_log.error("The application failed as it ended:\n%s", why.rstrip())
                self.stopped.set_result(None)
            case kind:
                raise RuntimeError(f"{kind} has no place here")
