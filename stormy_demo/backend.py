"""The slow service that everybody waits for.

It answers `GET /profile`, `/friends` and `/messages`, each with `?user=ada`, and `POST /data`.
How slowly and how badly is for the script to say: see `Backend`. A question that is asked by
hand, with curl, can say so itself: `&delay=2` (seconds), `&status=500`, `&drop=1`.

What cannot be answered gets one sentence, as a piece of JSON.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection
from typing import TypeVar

from tornado.ioloop import IOLoop
from tornado.web import Application, HTTPError

from .program import main
from .sentences import NotFoundHandler, SentenceHandler

Number = TypeVar("Number", int, float)

# Seconds. Nobody waits for longer than a day, and not every system can.
LONGEST = 86_400.0

PEOPLE = {
    "ada": {"profile": "Ada Lovelace", "friends": ["grace", "alan"], "messages": 3},
    "grace": {"profile": "Grace Hopper", "friends": ["ada"], "messages": 1},
    "alan": {"profile": "Alan Turing", "friends": ["ada", "grace"], "messages": 2},
}


class Backend:
    """A backend that does what the script says: these arguments, and calls of `release`.

    Args:
        delay: seconds before each answer.
        together: answer when this many questions have come, all of them, then wait for as many
            again. Then an experiment about overlap does not depend on luck.
        hold: answer no question before `release` is called for it.
        fail: answer questions about these things with a 500.
        drop: close the connection of questions about these things.
        hang: never answer questions about these things.

    Attributes:
        app: the application, for `running` or `running_apart`.
        asked: each question in the order it came, such as "friends of ada".
        most: the largest number of questions that waited for their answers at once.

    Raises:
        ValueError: the delay is not from 0 seconds to a day of them, or `together` is no
            number from 1 on.
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
        """Make the application."""
        if not 0 <= delay <= LONGEST:
            raise ValueError(f"delay must be from 0 seconds to a day of them, not {delay}")
        if not together >= 1:
            raise ValueError(f"together must be 1 or more, not {together}")
        self.delay = delay
        self.together = together
        self.hold = hold
        self.fail = fail
        self.drop = drop
        self.hang = hang
        self.asked: list[str] = []
        self.most = 0
        self._under_way = 0
        self._waiting: list[tuple[str, asyncio.Event]] = []
        self._released: set[str] = set()
        self._loop: IOLoop | None = None
        self.app = Application(
            [(r"/data", DataHandler), (r"/(\w+)", QuestionHandler)],
            default_handler_class=NotFoundHandler,
            default_handler_args={"there_is": "/profile?user=ada, /friends and /messages"},
            lane=None,
            backend=self,
        )

    def release(self, what: str) -> None:
        """Let questions be answered, those that wait and those to come.

        It may be called from any thread.

        Args:
            what: one question, such as "friends of ada", or a thing, such as "friends", for all
                questions about it.
        """
        self._released.add(what)
        if self._loop:
            self._loop.add_callback(self._answer_released)

    def _answer_released(self) -> None:
        for question, turn in self._waiting:
            if self._released & {question, question.partition(" ")[0]}:
                turn.set()

    async def turn_of(self, question: str, turn: asyncio.Event) -> None:
        """Wait until the script lets a question be answered.

        Args:
            question: what is asked, such as "friends of ada".
            turn: an event that is set when it may be answered, or by a caller that gives up.
        """
        self.asked.append(question)
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        try:
            self._take_turns(question, turn)
            await turn.wait()
            await asyncio.sleep(self.delay)
        finally:
            self._under_way -= 1

    def _take_turns(self, question: str, turn: asyncio.Event) -> None:
        self._loop = IOLoop.current()
        still_waiting = [other for other in self._waiting if not other[1].is_set()]
        self._waiting = [*still_waiting, (question, turn)]
        if self.hold:
            self._answer_released()
        elif len(self._waiting) >= self.together:
            for _, each_turn in self._waiting:
                each_turn.set()


class QuestionHandler(SentenceHandler):
    """One question about one user."""

    def initialize(self) -> None:
        """Make the events that say that its turn has come, and that its client has gone."""
        self.turn = asyncio.Event()
        self.gone = asyncio.Event()

    def prepare(self) -> None:
        """Read the question."""
        self.user = self.only_argument("user", "")
        if not self.user:
            raise HTTPError(400, "Say about whom you ask, as in /profile?user=ada")
        self.delay = self.number("delay", 0.0)
        self.status = self.number("status", 200)
        self.drop = self.number("drop", 0)
        if not 0 <= self.delay <= LONGEST:
            raise HTTPError(400, "delay must be from 0 seconds to a day of them")
        if self.status != 200 and not 400 <= self.status <= 599:
            raise HTTPError(400, "status must be 200, or from 400 to 599")
        if self.drop not in (0, 1):
            raise HTTPError(400, "drop must be 0 or 1")

    def number(self, name: str, default: Number) -> Number:
        """Return an argument that is a number of the same kind as its default."""
        text = self.only_argument(name, str(default))
        try:
            return type(default)(text)
        except ValueError:
            raise HTTPError(400, f"{name} must be a number") from None

    def on_connection_close(self) -> None:
        """End a question that waits, or is never answered, together with its connection."""
        self.turn.set()
        self.gone.set()

    async def get(self, thing: str) -> None:
        """Answer, or fail in the way that the script or the question says."""
        script: Backend = self.settings["backend"]
        await script.turn_of(f"{thing} of {self.user}", self.turn)
        await asyncio.sleep(self.delay)
        if thing in script.hang:
            await self.gone.wait()
        if thing in script.drop or self.drop:
            self.detach().close()
            return
        self.set_status(500 if thing in script.fail else self.status)
        stranger = {"profile": self.user.title(), "friends": [], "messages": 0}
        person = PEOPLE.get(self.user, stranger)
        if thing not in person:
            raise HTTPError(404, "Nothing is known about that")
        self.write({thing: person[thing]})


class DataHandler(SentenceHandler):
    """Data that a form sends."""

    def post(self) -> None:
        """Answer with the fields of the form."""
        fields = self.request.body_arguments
        self.write({name: self.get_body_argument(name, strip=False) for name in fields})


def make_app(delay: float = 0.05) -> Application:
    """Make a backend for the command line.

    Args:
        delay: seconds before each answer.
    """
    return Backend(delay).app


if __name__ == "__main__":
    sys.exit(main(make_app))
