"""The door before a Socket.IO server on Tornado, for what python-socketio 5.18 leaves open.

Of its own handler, that of `socketio.get_tornado_handler`, `mount` mends this:

- a page of another site gets a WebSocket, which is then neither served nor closed;
- what is no packet, or comes after a goodbye, ends with a traceback, or hangs for ever;
- an event that a client names `connect` or `disconnect` calls the handler of that name;
- 100 MB of a body are kept, and on a WebSocket all that is sent to who does not read;
- who tries a WebSocket in vain hears nothing more, and the last poll of who leaves waits;
- tasks and sessions are left when the server has ended.

It does not mend this:

- what comes in waits without a bound while a handler takes its time. So does what goes out by
  long poll, and who has left is only seen when a ping is missed, which takes 45 s;
- more than 16 packets in one POST are refused. More than 16 in the answer to a poll are not,
  and the client for Python takes them for an error;
- bytes, other serializers than JSON, and pages of other sites are not let in at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import parse_qs

from tornado.escape import utf8
from tornado.iostream import StreamBufferFullError
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..batteries.small_bodies import LARGEST, SmallBodies
from ..sentences import NotFoundHandler, SentenceHandler
from .socketio_packets import GOODBYE, are_packets, is_packet, socketio

__all__ = ["mount", "socketio"]

# Bytes that may wait for somebody on a WebSocket already, when there is more for them.
MOST_WAITING = 1 << 18


def _guarded(sio: Any) -> type[WebSocketHandler]:
    class Handler(SentenceHandler, socketio.get_tornado_handler(sio)):  # type: ignore[misc]
        def session(self) -> Any:
            # As the library reads it: nobody is to be two.
            [sid, *_] = parse_qs(self.request.query).get("sid", [""])
            return sio.eio.sockets.get(sid)

        def check_origin(self, origin: str) -> bool:
            return WebSocketHandler.check_origin(self, origin)

        async def open(self) -> None:
            self.set_nodelay(True)
            # In a task: Tornado reads from it when this has returned.
            sio.start_background_task(self.serve)

        async def serve(self) -> None:
            try:
                await sio.handle_request(self)
            finally:
                self.close()
                if (session := self.session()) and not session.upgraded:
                    session.upgrading = False

        async def on_message(self, message: str | bytes) -> None:
            if self.ws_connection is None:
                return  # from somebody who has not read yet that this is closed
            if isinstance(message, str) and is_packet(message):
                await super().on_message(message)
                if message == GOODBYE:
                    self.close()
            else:
                # See RFC 6455: what was sent has no meaning here.
                self.close(1003, "That is no packet of Socket.IO.")

        def write_message(self, message: Any, binary: bool = False) -> asyncio.Future[None]:
            stream = self.ws_connection and self.ws_connection.stream
            if stream is None:
                raise WebSocketClosedError
            # Only meanwhile, see `batteries.frames`.
            stream.max_write_buffer_size = MOST_WAITING + len(utf8(message))
            try:
                sent = cast("asyncio.Future[None]", super().write_message(message, binary))
            except StreamBufferFullError:
                # Who does not read would not read that this is closed, either.
                stream.close()
                raise WebSocketClosedError from None
            finally:
                stream.max_write_buffer_size = None
            # Nobody awaits it, and who has gone is noticed by reading.
            sent.add_done_callback(lambda done: done.cancelled() or done.exception())
            return sent

        async def post(self) -> None:
            session = self.session()
            if (session and session.closed) or not are_packets(self.request.body):
                self.set_status(400)
                self.finish({"error": "These are no packets, or too many, or late."})
                return
            await cast(Any, super().post())
            if session and session.closed:
                # The last poll, which somebody who says goodbye by POST waits for.
                session.queue.put_nowait(None)

    return Handler


@asynccontextmanager
async def _ending(sio: Any) -> AsyncIterator[None]:
    tasks: set[asyncio.Task[Any]] = set()
    begin, monitors = sio.eio.start_background_task, sio.eio.start_service_task

    def start(
        target: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> Any:
        tasks.add(task := asyncio.create_task(target(*args, **kwargs)))
        task.add_done_callback(tasks.discard)
        return task

    sio.eio.start_background_task = start
    try:
        yield
    finally:
        # Otherwise nobody would look for who is gone, when it runs once more.
        sio.eio.start_service_task = monitors
        sio.eio.start_background_task = begin
        for task in list(tasks):
            task.cancel()
        for session in list(sio.eio.sockets.values()):
            await session.close(wait=False, abort=True)
        sio.eio.sockets.clear()


def mount(sio: Any, *handlers: Any, **settings: Any) -> Application:
    """Mount a Socket.IO server at `/socket.io/`, where its clients look for it.

    What it takes in one message is limited to what `SmallBodies` takes.

    Args:
        sio: the `socketio.AsyncServer`, with `async_mode="tornado"`.
        *handlers: what else there is, as an `Application` takes it.
        **settings: passed on to `tornado.web.Application`, beside "sio", which is the server.

    Raises:
        ValueError: the server is to let in pages of other sites, which this door does not.
    """
    if sio.eio.cors_allowed_origins is not None:
        raise ValueError("cors_allowed_origins: this door lets in no pages of other sites")
    sio.eio.max_http_buffer_size = LARGEST
    return SmallBodies(
        [(r"/socket.io/", _guarded(sio)), *handlers],
        **{
            "default_handler_class": NotFoundHandler,
            "default_handler_args": {"there_is": "/socket.io/"},
            "websocket_max_message_size": LARGEST,
            "while_running": lambda: _ending(sio),
            "sio": sio,
            **settings,
        },
    )
