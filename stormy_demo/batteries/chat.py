"""A chat with one room, by WebSocket and by long poll at once.

Open the address in two windows, the second with `?poll` behind it, and talk to yourself.
"""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from tornado.escape import json_encode
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPInputError, parse_body_arguments
from tornado.web import Application, HTTPError, stream_request_body
from tornado.websocket import WebSocketHandler

from ..program import main
from ..sentences import NotFoundHandler, SentenceHandler
from .frames import TRY_AGAIN_LATER, write_frame
from .keepalive import keep_alive
from .room import Message, Room
from .small_bodies import SmallBodies

PAGE = Path(__file__).with_name("chat.html")

# Letters.
LONGEST_NAME = 40
LONGEST_TEXT = 1000

# Bytes: so many letters in UTF-8, and a form in which each of these bytes is written as "%F0".
LARGEST_MESSAGE = 4 * LONGEST_TEXT
LARGEST_FORM = 20_000

# What Tornado makes a blank of in a form. By WebSocket it comes as it was sent.
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")

# Why a WebSocket is closed, see RFC 6455: it sent what is no text, or too much of it.
NO_TEXT = 1003
TOO_LONG = 1009


class InRoom(SentenceHandler):
    """A handler that has to do with the room."""

    def initialize(self, room: Room) -> None:
        """Keep the room."""
        self.room = room


class PageHandler(InRoom):
    """The page on which people talk."""

    def get(self) -> None:
        """Answer with it."""
        # Not awaited, which would raise an error when whoever asked has gone by now.
        self.render(PAGE.name)


class SocketHandler(InRoom, WebSocketHandler):
    """Somebody on a WebSocket, who is in the room as long as that is open.

    Who sends a request from a page of another site is refused by `WebSocketHandler`.

    It keeps two things of its own and no more: from 31 attributes on, where Tornado has most of
    them, Python needs a kilobyte more for each object.
    """

    def prepare(self) -> None:
        """Read who it is, before there is a WebSocket."""
        self.name = named(self.only_argument("name", ""))
        self.only_argument("since", "")

    def open(self) -> None:
        """Come in."""
        self.set_nodelay(True)
        if self.ws_connection and self.ws_connection.stream:
            keep_alive(self.ws_connection.stream)
        self.room.join(self, self.only_argument("since", ""))
        self.forget_the_handshake()

    def forget_the_handshake(self) -> None:
        """Let go of what has done its work: a quarter of what somebody who listens costs."""
        request = self.request
        # It has handed its stream on to the WebSocket.
        request.connection = None
        request.headers.clear()
        request.arguments = request.query_arguments = request.body_arguments = {}
        request.files = {}
        # Those of the answer, which has been sent.
        self._headers = HTTPHeaders()

    async def on_message(self, message: str | bytes) -> None:
        """Say it to the room."""
        if self.ws_connection is None:
            # Sent by somebody who has not read yet that this is closed. What came before may
            # not have been said, and they will say all of it again.
            return
        if isinstance(message, bytes):
            self.close(NO_TEXT, "Send text.")
        elif len(message) > LONGEST_TEXT:
            self.close(TOO_LONG, f"A message has {LONGEST_TEXT} letters at most.")
        elif text := CONTROL.sub(" ", message).strip():
            try:
                await self.room.say(self.name, text)
            except HTTPError as error:
                self.close(TRY_AGAIN_LATER, error.get_message())

    def take(self, frame: bytes) -> None:
        """Send what somebody said; who does not read is sent away, and not waited for."""
        if not write_frame(self, frame, self.room.most_waiting):
            self.room.leave(self)
            self.close(TRY_AGAIN_LATER, "You read too slowly.")

    def on_close(self) -> None:
        """Go."""
        self.room.leave(self)


class NewsHandler(SentenceHandler):
    """What is new, for somebody who asks again and again: the long poll."""

    limit: asyncio.Timeout | None = None
    # Who asked, or the server that would answer.
    gone = False

    def initialize(self, room: Room, patience: float) -> None:
        """Keep the room, and the seconds after which nothing new is an answer, too."""
        self.room = room
        self.patience = patience

    async def get(self) -> None:
        """Answer when there is something new, or with nothing when that takes too long."""
        newer = []
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self.gone else self.patience) as self.limit:
                newer = await self.room.news(self.only_argument("since", ""))
        self.answer(newer)

    def answer(self, messages: list[Message]) -> None:
        """Answer with some messages, which nobody is to keep for the next who asks."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        # Not write(): that takes no list, which a page of another site could once read.
        self.finish(json_encode([asdict(message) for message in messages]))

    def on_connection_close(self) -> None:
        """Wait no longer: who asked has gone."""
        self.stop_waiting()

    def stop_waiting(self) -> None:
        """Answer with nothing, if there is no answer yet; also if it was about to begin."""
        self.gone = True
        if self.limit:
            # It raises that when it is over, or about to be.
            with suppress(RuntimeError):
                self.limit.reschedule(0)


@stream_request_body
class SayHandler(InRoom):
    """Where people on the long poll speak.

    A page of another site is refused here too, since the application says so in its settings.
    The body comes in pieces, since Tornado would keep 100 MB of one before it asks anybody.
    """

    def prepare(self) -> None:
        """Have no more read than a form may have; Tornado closes on whoever sends more."""
        cast(HTTP1Connection, self.request.connection).set_max_body_size(LARGEST_FORM)
        self.form = b""

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the form."""
        self.form += chunk

    async def post(self) -> None:
        """Say something to the room."""
        self.read_form()
        name = named(self.only_field("name"))
        text = self.only_field("text")
        if not text or len(text) > LONGEST_TEXT:
            raise HTTPError(400, f"text must have from 1 to {LONGEST_TEXT} letters")
        await self.room.say(name, text)
        self.set_status(204)

    def read_form(self) -> None:
        """Do with a body in pieces what Tornado does with one that comes at once."""
        request = self.request
        kind = request.headers.get("Content-Type", "")
        try:
            parse_body_arguments(kind, self.form, request.body_arguments, request.files)
        except HTTPInputError:
            raise HTTPError(400, "The form cannot be read.") from None


def named(name: str) -> str:
    """Return a name under which somebody may speak.

    Raises:
        HTTPError: a 400; there is none, or it is too long.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        raise HTTPError(
            400, f"name must have from 1 to {LONGEST_NAME} letters, as in ?name=ada"
        )
    return name


def make_app(room: Room | None = None, patience: float = 25.0, **settings: Any) -> Application:
    """Make the application.

    Args:
        room: where people talk; a new one if it is left out.
        patience: seconds after which somebody on the long poll is told that nothing is new.
        **settings: passed on to `tornado.web.Application`.

    Raises:
        ValueError: patience is not more than 0.
    """
    if not patience > 0:
        raise ValueError(f"patience must be more than 0 seconds, not {patience}")
    arguments: dict[str, Any] = {"room": Room() if room is None else room}
    return SmallBodies(
        [
            (r"/", PageHandler, arguments),
            (r"/socket", SocketHandler, arguments),
            (r"/news", NewsHandler, {**arguments, "patience": patience}),
            (r"/say", SayHandler, arguments),
        ],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/"},
        **{
            "template_path": str(PAGE.parent),
            "cross_origin_protection": True,
            "websocket_max_message_size": LARGEST_MESSAGE,
            **settings,
        },
    )


def make_program(history: int = 20, patience: float = 25.0) -> Application:
    """Make the application with a room of its own, from what a command line can say.

    Args:
        history: how many of the last messages are kept, for those who come late.
        patience: seconds after which somebody on the long poll is told that nothing is new.

    Raises:
        ValueError: history is less than 1, or patience not more than 0.
    """
    return make_app(Room(history), patience)


if __name__ == "__main__":
    sys.exit(main(make_program))
