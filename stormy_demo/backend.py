"""The slow service that everybody waits for.

It answers `GET /profile`, `/friends` and `/messages`, each with `?user=ada`, and `POST /data`.
How slowly and how badly is for the script to say: see `Backend`. By hand, with curl, a question
can ask for trouble itself: `&delay=2` (seconds), `&status=500`, `&drop=1`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection

from tornado.ioloop import IOLoop
from tornado.web import Application, HTTPError, RequestHandler

from .running import main

PEOPLE = {
    "ada": {"profile": "Ada Lovelace", "friends": ["grace", "alan"], "messages": 3},
    "grace": {"profile": "Grace Hopper", "friends": ["ada"], "messages": 1},
    "alan": {"profile": "Alan Turing", "friends": ["ada", "grace"], "messages": 2},
}


class Backend:
    """A backend that does what the script says.

    Args:
        delay: seconds before each answer.
        together: answer when this many questions have come, all of them, then wait for as many
            again. An experiment about overlap needs no luck then.
        hold: keep every question until `release` is called.
        fail: answer questions about these things with a 500.
        drop: hang up on questions about these things.
        hang: never answer questions about these things.

    Attributes:
        app: the application, for `running` or `running_apart`.
        asked: each question in the order it came, such as "friends of ada".
        most: the largest number of questions that waited for their answers at once.
    """

    def __init__(
        self,
        delay: float = 0.0,
        *,
        together: int = 1,
        hold: bool = False,
        fail: Collection[str] = (),
        drop: Collection[str] = (),
        hang: Collection[str] = (),
    ) -> None:
        self.delay = delay
        self.together = together
        self.hold = hold
        self.fail = fail
        self.drop = drop
        self.hang = hang
        self.asked: list[str] = []
        self.most = 0
        self._now = 0
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._released: set[str] = set()
        self._loop: IOLoop | None = None
        self.app = Application(
            [(r"/data", DataHandler), (r"/(\w+)", QuestionHandler)], lane=None, backend=self
        )

    def release(self, thing: str) -> None:
        """Let the questions about this thing be answered, those that wait and those to come.

        It may be called from any thread.
        """
        self._released.add(thing)
        if self._loop:
            self._loop.add_callback(self._answer_released)

    def _answer_released(self) -> None:
        for thing, turn in self._waiting:
            if thing in self._released and not turn.done():
                turn.set_result(None)

    async def turn_of(self, thing: str) -> None:
        """Wait until the script lets a question about this thing be answered."""
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await self._turn_of(thing)
        finally:
            self._now -= 1

    async def _turn_of(self, thing: str) -> None:
        self._loop = IOLoop.current()
        turn: asyncio.Future[None] = asyncio.Future()
        self._waiting = [w for w in self._waiting if not w[1].done()] + [(thing, turn)]
        if self.hold:
            self._answer_released()
        elif len(self._waiting) >= self.together:
            for _, waiting in self._waiting:
                waiting.set_result(None)
        await turn
        await asyncio.sleep(self.delay)


class QuestionHandler(RequestHandler):
    """One question about one user."""

    def prepare(self) -> None:
        """Make room for the news that the client has gone."""
        self.gone = asyncio.Event()

    def on_connection_close(self) -> None:
        """Let a question that is never answered end with its connection."""
        self.gone.set()

    async def get(self, thing: str) -> None:
        """Answer, or misbehave as the script or the question says."""
        user = self.get_argument("user")
        script: Backend = self.settings["backend"]
        script.asked.append(f"{thing} of {user}")
        await script.turn_of(thing)
        await asyncio.sleep(float(self.get_argument("delay", "0")))
        if thing in script.hang:
            await self.gone.wait()
        if thing in script.drop or self.get_argument("drop", ""):
            self.detach().close()
            return
        status = int(self.get_argument("status", "500" if thing in script.fail else "200"))
        self.set_status(status)
        person = PEOPLE.get(user, {"profile": user.title(), "friends": [], "messages": 0})
        if thing not in person:
            raise HTTPError(404)
        self.write({thing: person[thing]})


class DataHandler(RequestHandler):
    """Say which data a form brought."""

    def post(self) -> None:
        """Answer the fields of the form."""
        fields = self.request.body_arguments
        self.write({name: values[-1].decode() for name, values in fields.items()})


def make_app(delay: float = 0.05) -> Application:
    """Make a backend for the command line.

    Args:
        delay: seconds before each answer.
    """
    return Backend(delay).app


if __name__ == "__main__":
    sys.exit(main(make_app))
