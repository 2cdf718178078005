"""Messages in a database: one handler, whichever database it is.

`POST /messages` with `{"msg": "hello"}` stores a message. `GET /messages` tells the latest, and
how often that was asked. What the database is asked with `await` holds up nobody else.
"""

from __future__ import annotations

import sys

from tornado.escape import json_decode
from tornado.web import Application, HTTPError

from ..batteries.small_bodies import SmallBodies
from ..program import main
from ..sentences import NotFoundHandler, SentenceHandler
from .stores import Store, store_for

LONGEST_TEXT = 500  # characters
SHOWN = 20  # messages


class MessagesHandler(SentenceHandler):
    """Stores messages, and tells the latest."""

    def initialize(self, store: Store) -> None:
        """Keep the store."""
        self.store = store

    async def post(self) -> None:
        """Store a message."""
        text = self.text()
        await self.store.add(text)
        self.set_status(201)
        self.write({"msg": text})

    async def get(self) -> None:
        """Tell the latest messages, the newest first."""
        visits = await self.store.visit()
        self.write({"messages": await self.store.latest(SHOWN), "visits": visits})

    def text(self) -> str:
        """Return the message of the body.

        A JSON object in place of the text could say to a database what to do, such as
        `{"$gt": ""}` to MongoDB.

        Raises:
            HTTPError: a 400; there is none that a database could keep.
        """
        try:
            match json_decode(self.request.body):
                case {"msg": str(text)}:
                    # Not all of these are UTF-8, or kept by PostgreSQL.
                    text.encode()
                    if 0 < len(text) <= LONGEST_TEXT and "\0" not in text:
                        return text
        except (ValueError, RecursionError):
            pass
        raise HTTPError(400, f'The body is {{"msg": TEXT}}, of 1 to {LONGEST_TEXT} characters')


def message_app(store: Store) -> Application:
    """Make the application around a store, which is somebody else's to close.

    Args:
        store: where messages are kept.
    """
    return SmallBodies(
        [(r"/messages", MessagesHandler, {"store": store})],
        cross_origin_protection=True,
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/messages"},
    )


def make_app(database: str = "sqlite:", patience: float = 5.0) -> Application:
    """Make the application for the command line.

    Args:
        database: "sqlite:" for one in memory, "sqlite:FILE", "mongodb://..." or
            "postgresql://...". What stands on a command line can be read by everybody on the
            machine, so a password belongs elsewhere.
        patience: seconds for the database to answer.

    Raises:
        ValueError: an argument is not what it should be, or a driver is missing.
    """
    try:
        store = store_for(database, patience)
    except ImportError as error:
        raise ValueError(str(error)) from None
    app = message_app(store)
    # Entered when the server starts; left at its end, which closes the store.
    app.settings["while_running"] = lambda: store
    return app


if __name__ == "__main__":
    sys.exit(main(make_app))
