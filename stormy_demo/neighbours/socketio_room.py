"""The chat of the batteries, told with Socket.IO: events with names, and answers to them.

Open the address in two windows, and talk to yourself; with Socket.IO's own client, see
`--client-script`, the second may have `?poll` behind it.

Rooms, answers, and the way back to the long poll come with the library. What was said last is
kept here, as there: who loses the connection hears it when they are back, if they say which is
the last that they know.
"""

from __future__ import annotations

import itertools
import logging
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from tornado.web import Application, HTTPError

from ..batteries.chat import CONTROL, LONGEST_NAME, LONGEST_TEXT
from ..missing import in_a_sentence
from ..program import main
from ..sentences import SentenceHandler

with in_a_sentence(__name__):
    from .socketio_door import mount, socketio

PAGE = Path(__file__).with_name("socketio_room.html")

# The rooms that there are. If whoever comes could make one, nobody would take it away.
ROOMS = ("hall", "kitchen")


class _Log(logging.LoggerAdapter[logging.Logger]):
    """What goes to the log, where the library would write each packet, or to stderr."""

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Have what a client did wrong be no error of the server."""
        self.info(msg, *args, **kwargs)


LOG = _Log(logging.getLogger(__name__))
LOG.setLevel(logging.ERROR)


class PageHandler(SentenceHandler):
    """The page on which people talk, and the script with which it speaks Socket.IO."""

    def initialize(self, script: bytes | None) -> None:
        """Keep the script; None if the page is to speak for itself."""
        self.script = script

    def get(self, what: str) -> None:
        """Answer with one of the two."""
        if not what:
            # Not awaited, which would raise an error when whoever asked has gone by now.
            self.render(PAGE.name, rooms=ROOMS, has_script=self.script is not None)
        elif self.script is None:
            raise HTTPError(404, "No script was given, see --client-script")
        else:
            self.set_header("Content-Type", "text/javascript; charset=utf-8")
            self.finish(self.script)


def make_server(history: int = 20, **options: Any) -> Any:
    """Make the Socket.IO server of the chat.

    Args:
        history: how many of the last messages are kept in each room.
        **options: passed on to `socketio.AsyncServer`.

    Raises:
        ValueError: history is less than 1, or more than a list can hold.
    """
    if not 1 <= history <= sys.maxsize:
        raise ValueError(f"history must be from 1 to {sys.maxsize}, not {history}")
    sio = socketio.AsyncServer(
        **{
            "async_mode": "tornado",
            # Otherwise each event has a task of its own, and one that has to wait is overtaken
            # by the next of the same person.
            "async_handlers": False,
            "logger": LOG,
            "engineio_logger": LOG,
            **options,
        }
    )
    kept: dict[str, deque[dict[str, Any]]] = {room: deque(maxlen=history) for room in ROOMS}
    # Microseconds at the first: after a new start, those of before are the smaller ones.
    numbers = itertools.count(time.time_ns() // 1000)

    @sio.event  # type: ignore[untyped-decorator]
    async def connect(sid: str, _environ: dict[str, Any], auth: object) -> None:
        """Let somebody in, and tell them what they do not know."""
        name, room, since = read_auth(auth)
        await sio.save_session(sid, {"name": name, "room": room})
        await sio.enter_room(sid, room)
        newer = [message for message in kept[room] if message["number"] > since]
        if newer:
            # All in one event, so that nobody says something in between.
            await sio.emit("said", tuple(newer), to=sid)

    @sio.event  # type: ignore[untyped-decorator]
    async def say(sid: str, *said: object) -> dict[str, Any]:
        """Tell everybody in the room, and answer with the number of the message."""
        try:
            text = read_text(said)
        except ValueError as error:
            return {"error": str(error)}
        who = await sio.get_session(sid)
        message = {"number": next(numbers), "name": who["name"], "text": text}
        kept[who["room"]].append(message)
        await sio.emit("said", message, to=who["room"])
        return {"number": message["number"]}

    return sio


def read_auth(auth: object) -> tuple[str, str, int]:
    """Read who comes, into which room, and which message there is the last that they know.

    Args:
        auth: what a client gives with the wish to come in.

    Raises:
        socketio.exceptions.ConnectionRefusedError: it cannot be read; the client is told why.
    """
    refused = socketio.exceptions.ConnectionRefusedError
    given = auth if isinstance(auth, dict) else {}
    name, room, since = given.get("name"), given.get("room", ROOMS[0]), given.get("since", 0)
    name = CONTROL.sub(" ", name).strip() if isinstance(name, str) else ""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise refused(f"name must have from 1 to {LONGEST_NAME} letters")
    if room not in ROOMS:
        raise refused(f"room must be one of: {', '.join(ROOMS)}")
    if not isinstance(since, int):
        raise refused("since must be the number of a message")
    return name, room, since


def read_text(said: tuple[object, ...]) -> str:
    """Read what somebody says.

    Args:
        said: what came with the event.

    Raises:
        ValueError: it is not one text, or this is empty or too long.
    """
    match said:
        case (str(text),) if len(text) <= LONGEST_TEXT and (
            text := CONTROL.sub(" ", text).strip()
        ):
            return text
    raise ValueError(f"A message is one text of 1 to {LONGEST_TEXT} letters.")


def make_app(client_script: str = "", history: int = 20, **options: Any) -> Application:
    """Make the application.

    Args:
        client_script: the file of Socket.IO's own client for browsers; without it, the page
            speaks the little that it needs by itself.
        history: how many of the last messages are kept in each room.
        **options: passed on to `socketio.AsyncServer`.

    Raises:
        ValueError: history is less than 1, or the file cannot be read.
    """
    try:
        script = Path(client_script).read_bytes() if client_script else None
    except OSError as error:
        raise ValueError(f"client_script cannot be read: {error}") from None
    page = (r"/((?:client\.js)?)", PageHandler, {"script": script})
    return mount(
        make_server(history, **options),
        page,
        template_path=str(PAGE.parent),
        default_handler_args={"there_is": "/"},
    )


def make_program(client_script: str = "", history: int = 20) -> Application:
    """Make the application from what a command line can say.

    Args:
        client_script: the file of Socket.IO's own client for browsers, as npm brings it:
            node_modules/socket.io-client/dist/socket.io.min.js.
        history: how many of the last messages are kept in each room.

    Raises:
        ValueError: history is less than 1, or the file cannot be read.
    """
    return make_app(client_script, history)


if __name__ == "__main__":
    sys.exit(main(make_program))
