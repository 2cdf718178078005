"""Somebody else's ASGI application in a Tornado handler, beside Tornado's own.

ASGI is what Starlette, FastAPI and Django speak with a server: a coroutine function that is
given a `scope`, which says what is asked, and two coroutine functions, `receive` for the body
and `send` for the answer. So it waits as a handler does, on the same loop::

    Application([(r"/hello", Hello), at("/theirs", theirs)])

The sections named here are those of the specification "HTTP & WebSocket ASGI Message Format".
WebSockets are refused. What an application does before the first request, and after the last,
is in `lifespan`.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.log import app_log
from tornado.web import HTTPError, stream_request_body

from stormy_demo.batteries.streaming import LARGEST, limit_body
from stormy_demo.sentences import SentenceHandler

from .asgi_scope import AsgiApp, Message, make_scope

# What is said of one connection, and not of the answer: that is the server's affair.
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}
NO_BODY = (204, 304)
NO_LENGTH = (204,)


class ClientLeft(OSError):
    """What `send` raises when nobody is there any more ("Disconnected Client")."""


@stream_request_body
class AsgiHandler(SentenceHandler):
    """Has an ASGI application answer, in a task of its own that begins with the headers.

    It takes the methods that Tornado knows, and the settings of the Tornado application hold
    for it: with `cross_origin_protection`, a form of a stranger does not reach it. (With
    `xsrf_cookies` no form does, since Tornado does not read what it hands on.)
    """

    def initialize(
        self,
        app: AsgiApp,
        root_path: str = "",
        state: Mapping[str, Any] | None = None,
        largest: int = LARGEST,
    ) -> None:
        """Keep the settings.

        Args:
            app: the application.
            root_path: see `make_scope`.
            state: what `lifespan` gave, if the application has begun.
            largest: how many bytes the body of a request may have.
        """
        self.app = app
        self.root_path = root_path
        self.state = state
        self.largest = largest
        self.running: asyncio.Task[None] | None = None
        self.changed = asyncio.Event()
        # Of the body, a piece that has come, and has not been received.
        self.piece = b""
        self.has_all_come = self.is_all_received = False
        self.has_begun = self.has_sent = self.is_over = False
        self.has_left = self.is_told = False
        # Tornado forgets a flush that is awaited when another one begins.
        self.sending = asyncio.Lock()

    def prepare(self) -> None:
        """Begin, when the headers have come."""
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            raise HTTPError(400, "The application is served by HTTP alone, not by WebSocket")
        limit_body(self, self.largest)
        scope = make_scope(self.request, self.root_path)
        if self.state is not None:
            scope["state"] = dict(self.state)
        self.running = running = asyncio.create_task(self.run(scope))
        handling = asyncio.current_task()
        assert handling
        # A server that stops ends this handler, perhaps before it waits for the application,
        # which may have been told already, and be tidying.
        handling.add_done_callback(lambda _: running.cancelling() or running.cancel())

    async def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body, and read no further before the application takes it."""
        await self.until(lambda: not self.piece or self.is_over)
        if not self.is_over:
            self.piece = chunk
            self.changed.set()

    async def get(self) -> None:
        """Tell that all of the body has come, and wait until the application is done."""
        assert self.running
        self.has_all_come = True
        self.changed.set()
        await self.running

    head = post = put = patch = delete = options = get

    def on_connection_close(self) -> None:
        """Tell the application that nobody is there any more."""
        # Tornado says so too when an answer was complete before the request was.
        self.has_left = self.has_left or not self.is_over
        self.is_over = True
        self.changed.set()
        tell = super().on_connection_close
        # This may end the handler at once, and with it the application, which may want to tidy.
        if self.running:
            self.running.add_done_callback(lambda _: tell())
        else:
            tell()

    # -- what the application sees -------------------------------------------------------------

    async def run(self, scope: dict[str, Any]) -> None:
        """Call the application, and see to it that there is an answer, or an end.

        Args:
            scope: what is asked.
        """
        try:
            await self.app(scope, self.receive, self.send)
            if not self.is_over:
                how = "in the middle of its answer" if self.has_sent else "without an answer"
                raise HTTPError(500, f"The application returned {how}")
        except asyncio.CancelledError:
            self.cut_off()
            raise
        except Exception as error:
            self.tell_failure(error)
        finally:
            self.is_over = True
            self.changed.set()

    async def receive(self) -> Message:
        """Give the next piece of the body, when there is one ("Request", "Disconnect").

        Returns:
            A piece; or, when the client has left or the answer is complete, that it is over.
        """
        await self.until(
            lambda: (
                self.piece or (self.has_all_come and not self.is_all_received) or self.is_over
            )
        )
        if self.is_over:
            self.is_told = self.has_left
            return {"type": "http.disconnect"}
        body, self.piece = self.piece, b""
        self.is_all_received = self.has_all_come
        self.changed.set()
        return {"type": "http.request", "body": body, "more_body": not self.has_all_come}

    async def send(self, message: Message) -> None:
        """Take a part of the answer ("Response Start", "Response Body").

        It returns when the system has taken the bytes: the application waits for a slow reader.

        Args:
            message: the part.

        Raises:
            ClientLeft: nobody is there.
            RuntimeError: it is not the time for such a message, or there is no such message.
            TypeError: the body is not of bytes.
            ValueError: the status, or a header, is none.
        """
        async with self.sending:
            if self.has_left:
                raise self.leaving()
            if self.is_over:
                # "Any further messages on the channel will be ignored."
                return
            match message["type"], self.has_begun:
                case "http.response.start", False:
                    self.begin(int(message["status"]), message.get("headers", []))
                case "http.response.body", True:
                    more = message.get("more_body", False)
                    await self.pass_on(message.get("body", b""), more)
                case kind, begun:
                    when = "after" if begun else "before"
                    raise RuntimeError(f"{kind} was sent {when} http.response.start")

    # -- the answer ----------------------------------------------------------------------------

    def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the status and the headers; they are sent with the first bytes of the body."""
        if not 200 <= status <= 999:
            raise ValueError(f"{status} is not the status of an answer")
        # Also of what an attempt that was refused has left.
        self.clear()
        self.set_status(status)
        self.clear_header("Content-Type")
        theirs = set()
        for raw_name, value in headers:
            name = raw_name.decode("latin1").lower()
            if name in HOP_BY_HOP or (name == "content-length" and status in NO_LENGTH):
                continue
            if name == "content-length" and (name in theirs or not value.isdigit()):
                raise ValueError(f"content-length is a number, given once, not {value!r}")
            if name not in theirs:
                # Tornado's own, such as Server.
                self.clear_header(name)
                theirs.add(name)
            self.add_header(name, value.strip(b" \t"))
        self.has_begun = True

    async def pass_on(self, body: bytes | bytearray | memoryview, more: bool) -> None:
        """Send bytes, and wait until the system has taken them."""
        if not isinstance(body, bytes | bytearray | memoryview):
            raise TypeError(f"a body is of bytes, not {type(body).__name__}")
        if self.get_status() not in NO_BODY:
            self.write(bytes(body))
        is_in_pieces = more or self.has_sent
        self.has_sent = True
        stream = cast(HTTP1Connection, self.request.connection).stream
        try:
            if more:
                await self.flush()
                # A fast reader may never let a flush wait: nobody else would have a turn.
                await asyncio.sleep(0)
            else:
                finished = self.finish()
                self.is_over = True
                self.changed.set()
                await finished
                if is_in_pieces and self.request.version == "HTTP/1.0":
                    # A client that knows of no chunks, and may keep the connection, would wait.
                    # (Tornado's own compression takes the length away, where there was one.)
                    stream.close()
        except StreamClosedError:
            self.has_left = self.is_over = True
        if self.has_left:
            raise self.leaving()

    def leaving(self) -> ClientLeft:
        """Return what tells an application that nobody is there."""
        # One that sends because it has failed did not fail for that.
        self.is_told = self.is_told or not sys.exception()
        return ClientLeft("The client has left")

    def compute_etag(self) -> None:
        """Add no ETag, for the application's headers are its own affair."""

    def tell_failure(self, error: Exception) -> None:
        """Log what an application raised, and answer, or cut the answer off."""
        # What was raised at first; who answers that may find nobody there.
        why = error.__context__ if isinstance(error, ClientLeft) else error
        if isinstance(why, BaseExceptionGroup):
            _, why = why.split(ClientLeft)
        if not isinstance(why, Exception):
            return
        if self.is_told:
            asked = f"{self.request.method} {self.request.path}"
            app_log.info("%s: the client left, and the application raised %r", asked, why)
            app_log.debug("It was raised here", exc_info=why)
        else:
            exc_info = type(why), why, why.__traceback__
            self.log_exception(*exc_info)
            self.send_error(500, exc_info=exc_info)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error, where that is still possible."""
        if not self.has_sent:
            super().send_error(status_code, **kwargs)
        else:
            # Tornado would end an answer that was begun as if it were complete.
            self.cut_off()

    def cut_off(self) -> None:
        """Close the connection: the half that was sent must not look like all of it."""
        if self.has_sent and not self.is_over:
            cast(HTTP1Connection, self.request.connection).stream.close()
            self.finish()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something that comes with `changed` is true."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()


def at(
    path: str, app: AsgiApp, **settings: Any
) -> tuple[str, type[AsgiHandler], dict[str, Any]]:
    """Give an application all addresses that begin with a path; it is a route for Tornado.

    Args:
        path: such as "/theirs", of plain letters, without a slash at its end. "" is the whole
            site.
        app: the application.
        settings: what else `AsgiHandler.initialize` takes.

    Raises:
        ValueError: the path is none of that kind, and nothing would be found there.
    """
    if not re.fullmatch(r"(?:/[\w.~-]+)*", path, re.ASCII):
        raise ValueError(f'{path!r} is not a path such as "/theirs", or "" for the whole site')
    route = rf"{re.escape(path)}(?:/.*)?" if path else r".*"
    return route, AsgiHandler, {"app": app, "root_path": path, **settings}
