"""A server that tells each request on which connection it came.

    python -m stormy_demo.neighbours.counterparts.counted_connections --port=8889
    curl 'http://127.0.0.1:8889/?[1-3]'

curl keeps its connection from one address to the next, and so all three are on the first.
"""

from __future__ import annotations

import sys
from weakref import WeakKeyDictionary

from tornado.web import Application

from stormy_demo.batteries.small_bodies import SmallBodies
from stormy_demo.program import main
from stormy_demo.sentences import NotFoundHandler, SentenceHandler


class Tally:
    """Counts connections, and the requests on each."""

    def __init__(self) -> None:
        """Begin with none."""
        self.connections = 0
        self._known: WeakKeyDictionary[object, list[int]] = WeakKeyDictionary()

    def note(self, connection: object) -> dict[str, int]:
        """Count a request.

        Args:
            connection: the same object for all requests on a connection.

        Returns:
            The numbers of the connection, and of the request among those on it, from 1 on.
        """
        if connection not in self._known:
            self.connections += 1
            self._known[connection] = [self.connections, 0]
        self._known[connection][1] += 1
        number, request = self._known[connection]
        return {"connection": number, "request": request}


class CountedHandler(SentenceHandler):
    """Tells where a request came."""

    def get(self) -> None:
        """Answer with the number of the connection, and of the request on it."""
        tally: Tally = self.settings["tally"]
        self.write(tally.note(self.request.server_connection))


def make_app() -> Application:
    """Make the application, with a tally of its own."""
    return SmallBodies(
        [("/", CountedHandler)],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/"},
        tally=Tally(),
    )


if __name__ == "__main__":
    sys.exit(main(make_app))
