"""The door before a Socket.IO server on Tornado: what python-socketio leaves to who mounts it.

Its own handler, of `socketio.get_tornado_handler`,

- opens a WebSocket for a page of another site, and then neither serves it nor closes it;
- ends with a traceback for what is no packet, and reads nothing more from that WebSocket;
- calls `connect` or `disconnect` for a client that sends an event with this name;
- takes 16 packets in one POST, and loses all of a client that has more to say at once;
- keeps what waits for somebody who reads slowly, and 100 MB of a body;
- lets who says goodbye by long poll wait half a minute for the answer to the last poll;
- leaves tasks behind when the server has ended.

That is so with python-socketio 5.18 and python-engineio 4.15. What is still kept here without a
bound is what waits for somebody by long poll who does not ask, until they miss a ping.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, cast

from tornado.iostream import StreamBufferFullError
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..batteries.small_bodies import LARGEST, SmallBodies
from ..sentences import NotFoundHandler, SentenceHandler

__all__ = ["LOG", "are_packets", "guarded_handler", "is_packet", "mount", "socketio"]

try:
    import socketio  # type: ignore[import-untyped]
    from engineio import payload  # type: ignore[import-untyped]
    from socketio import packet
except ImportError as error:
    raise ImportError(
        "Socket.IO needs python-socketio, and one part cannot be imported, "
        f"{error.name}: pip install python-socketio aiohttp",
        name=error.name,
    ) from None

# Bytes that may wait for somebody on a WebSocket, before they are given more.
MOST_WAITING = 1 << 18

# How many packets may be in one body, and what is between them. The library takes 16, and loses
# all of who says more at once, which its own clients do.
MOST_PACKETS = 2000
BETWEEN = "\x1e"

# What a client says below Socket.IO, in Engine.IO: it closes, asks whether a WebSocket gets
# through, has heard a ping, goes over to the WebSocket.
GOODBYE = "1"
BELOW = (GOODBYE, "2probe", "3", "5")

# Why a WebSocket is closed, see RFC 6455: what was sent has no meaning here.
NO_PACKET = 1003


class _Log(logging.LoggerAdapter[logging.Logger]):
    """What goes to the log, where the library would write each packet, or to stderr."""

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Have what a client did wrong be no error of the server."""
        self.info(msg, *args, **kwargs)


LOG = _Log(logging.getLogger(__name__))
LOG.setLevel(logging.ERROR)


def is_packet(text: str) -> bool:
    """Say whether a client may send this: a packet of Engine.IO 4, in it one of Socket.IO 5.

    One that announces bytes is none here.

    Args:
        text: what it sent.
    """
    if not text.startswith("4"):
        return text in BELOW
    try:
        found = packet.Packet(encoded_packet=text[1:])
    except (ValueError, RecursionError):
        return False
    match found.packet_type, found.data:
        case packet.CONNECT | packet.DISCONNECT, _:
            return True
        case packet.EVENT, [str(event), *_]:
            return event not in socketio.AsyncServer.reserved_events
        case packet.ACK, list():
            return found.id is not None
    return False


def are_packets(body: bytes) -> bool:
    """Say whether a client on the long poll may send this.

    Args:
        body: that of its POST.
    """
    try:
        texts = body.decode().split(BETWEEN)
    except UnicodeDecodeError:
        return False
    return len(texts) <= MOST_PACKETS and all(map(is_packet, texts))


def guarded_handler(sio: Any) -> type[WebSocketHandler]:
    """Return the handler of a Socket.IO server, behind a door.

    Args:
        sio: the `socketio.AsyncServer`.
    """
    unguarded: Any = socketio.get_tornado_handler(sio)

    class Handler(SentenceHandler, unguarded):  # type: ignore[misc]
        """What a client asks for: to come in, what is new, to say something, a WebSocket."""

        # What can be cancelled when a client has gone.
        asking: asyncio.Task[Any] | None = None

        def check_origin(self, origin: str) -> bool:
            """Refuse a WebSocket to a page of another site."""
            return WebSocketHandler.check_origin(self, origin)

        async def get(self) -> None:
            """Answer, or open a WebSocket."""
            self.asking = asyncio.current_task()
            await cast(Any, super().get())

        async def open(self) -> None:
            """Serve a WebSocket, in a task: Tornado reads from it when this has returned."""
            self.asking = None
            self.set_nodelay(True)
            sio.start_background_task(self.serve)

        async def serve(self) -> None:
            """Serve a WebSocket until its end, and close it if it is not served any more."""
            try:
                await sio.handle_request(self)
            finally:
                self.close()

        async def on_message(self, message: str | bytes) -> None:
            """Take a packet by WebSocket."""
            if self.ws_connection is None:
                # Sent by somebody who has not read yet that this is closed.
                return
            if isinstance(message, str) and is_packet(message):
                await super().on_message(message)
                if message == GOODBYE:
                    self.close()
            else:
                self.close(NO_PACKET, "That is no packet of Socket.IO.")

        def write_message(self, *message: Any, **kind: Any) -> asyncio.Future[None]:
            """Send a packet; who does not read is sent away, and not waited for."""
            stream = self.ws_connection and self.ws_connection.stream
            if stream is None:
                raise WebSocketClosedError
            # Only meanwhile, see `batteries.frames`.
            stream.max_write_buffer_size = MOST_WAITING
            try:
                sent = cast("asyncio.Future[None]", super().write_message(*message, **kind))
            except StreamBufferFullError:
                # They would not read that this is closed, either.
                stream.close()
                raise WebSocketClosedError from None
            finally:
                stream.max_write_buffer_size = None
            # Nobody awaits it, and who has gone is noticed by reading.
            sent.add_done_callback(lambda done: done.cancelled() or done.exception())
            return sent

        async def post(self) -> None:
            """Take packets by long poll."""
            if are_packets(self.request.body):
                await cast(Any, super().post())
                self.end_poll_of_who_left()
            else:
                self.set_status(400)
                self.finish({"error": "These are no packets of Socket.IO."})

        def end_poll_of_who_left(self) -> None:
            """Answer who still waits for news, and has said goodbye by another request."""
            session = sio.eio.sockets.get(self.get_query_argument("sid", ""))
            if session and session.closed:
                session.queue.put_nowait(None)

        def on_connection_close(self) -> None:
            """Wait no longer for news: who asked has gone."""
            super().on_connection_close()
            if self.asking:
                self.asking.cancel()

    return Handler


@contextmanager
def _ending(sio: Any) -> Iterator[None]:
    """End the tasks that a server has started, with the block."""
    tasks: set[asyncio.Task[Any]] = set()

    def start(target: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> asyncio.Task[Any]:
        tasks.add(task := asyncio.create_task(target(*args)))
        task.add_done_callback(tasks.discard)
        return task

    sio.eio.start_background_task = start
    monitors = sio.eio.start_service_task
    try:
        yield
    finally:
        # Otherwise nobody would, when it runs once more.
        sio.eio.start_service_task = monitors
        for task in list(tasks):
            task.cancel()


def mount(sio: Any, *handlers: Any, **settings: Any) -> Application:
    """Mount a Socket.IO server at `/socket.io/`, where its clients look for it.

    What it takes in one message is limited to what `SmallBodies` takes.

    Args:
        sio: the `socketio.AsyncServer`, with `async_mode="tornado"`.
        *handlers: what else there is, as an `Application` takes it.
        **settings: passed on to `tornado.web.Application`, beside "sio", which is the server.
    """
    sio.eio.max_http_buffer_size = LARGEST
    # There is no other place to say it.
    payload.Payload.max_decode_packets = MOST_PACKETS
    return SmallBodies(
        [(r"/socket.io/", guarded_handler(sio)), *handlers],
        **{
            "default_handler_class": NotFoundHandler,
            "default_handler_args": {"there_is": "/socket.io/"},
            "websocket_max_message_size": LARGEST,
            "while_running": lambda: _ending(sio),
            "sio": sio,
            **settings,
        },
    )
