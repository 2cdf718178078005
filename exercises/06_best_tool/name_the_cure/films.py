"""The five films of the exercise, and what was seen beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler

from loopfilm import Film, on_own_loop, running_apart, visited
from stormy_demo.backend import Backend

from .handlers import Card, Page, Price, Profile, Remembered

# Seconds: less than a calculation takes.
RED = 0.3
# Of films that are made side by side: less than a question that blocks takes, and more than a
# busy machine lets them wait for each other.
RED_SIDE_BY_SIDE = 0.6
DELAY = 0.45
# For who blocks: what a busy machine takes from a thread while it waits does not count as held.
LONG_DELAY = 0.9
PEOPLE = ("ada", "grace", "alan")
# How many a client lets through at a time, unless told otherwise.
LET_THROUGH = 10


class AfterSoMany(Backend):
    """A backend that answers nobody before so many have asked, and everybody from then on.

    Args:
        first: how many.
        delay: seconds before each answer.
    """

    def __init__(self, first: int, delay: float) -> None:
        super().__init__(delay, hold=True)
        self.first = first

    async def turn_of(self, question: str, turn: asyncio.Event) -> None:
        """Wait until enough have come."""
        if len(self.asked) + 1 == self.first:
            for thing in ("profile", "friends", "messages"):
                self.release(thing)
        await super().turn_of(question, turn)


@dataclass(frozen=True)
class Seen:
    """A film, and what the backend saw meanwhile.

    Attributes:
        film: who had the loop.
        asked: how many questions came to the backend.
        at_once: how many of them waited there at once, at most.
    """

    film: Film
    asked: int
    at_once: int

    @property
    def longest(self) -> str:
        """The line at which somebody stood for the longest time: its call."""
        stood = [(each.seconds, each.call) for each in self.film.waits]
        stood += [(each.seconds, each.call) for each in self.film.held_at]
        return max(stood)[1]

    def __str__(self) -> str:
        return (
            f"at the backend: {self.asked} questions, at most {self.at_once} at once\n"
            f"the longest stop: {self.longest}"
        )


def seen_of(
    handler: type[RequestHandler],
    visitors: Sequence[str],
    first: int = 1,
    delay: float = DELAY,
    red: float = RED_SIDE_BY_SIDE,
    **more: Any,
) -> Seen:
    """Let visitors come to a handler at once, and film it; it blocks until all are answered.

    Args:
        handler: one that takes the address of a backend, and a client.
        visitors: who comes.
        first: the backend answers nobody before so many questions have come.
        delay: and then after so many seconds.
        red: a step longer than this holds the loop, in seconds.
        **more: settings of the application.
    """
    backend = AfterSoMany(first, delay)

    async def all_come(url: str) -> Film:
        client = AsyncHTTPClient(force_instance=True)
        app = Application([(r"/", handler, {"backend": url, "client": client})], **more)
        try:
            return await visited(app, [f"/?user={name}" for name in visitors], red=red)
        finally:
            client.close()

    with running_apart(backend.app) as url:
        film = on_own_loop(all_come, url)
    return Seen(film, len(backend.asked), backend.most)


def five_films() -> list[Seen]:
    """Film five handlers, in the order of the exercise; it blocks for about two seconds."""
    crowd = [f"person {n}" for n in range(1, LET_THROUGH + 3)]
    with ThreadPoolExecutor(4) as threads:
        waiting = [
            threads.submit(seen_of, Card, PEOPLE[:2], delay=LONG_DELAY),
            threads.submit(seen_of, Page, PEOPLE[:1]),
            threads.submit(seen_of, Remembered, PEOPLE, known={}, lock=asyncio.Lock()),
            threads.submit(seen_of, Profile, crowd, LET_THROUGH),
        ]
        one, two, three, four = [each.result() for each in waiting]
    # The others have ended: it needs the processor, and would hold up their loops, too.
    return [one, two, three, four, seen_of(Price, PEOPLE[:2], red=RED)]
