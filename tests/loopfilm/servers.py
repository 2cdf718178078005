"""Small servers to film, and what the tests of films share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tornado.web import Application, RequestHandler

import loopfilm
from loopfilm import Film
from loopfilm.lanes import Kind, Lane
from loopfilm.record import Record

HANGS = 600.0  # seconds; what takes longer on any machine hangs
LONG = 0.3  # seconds; a step may last 0.25 before it holds the loop
DESCRIPTORS = Path("/proc/self/fd")
ALL_THREE = ["/?user=ada", "/?user=grace", "/?user=alan"]


class Clock:
    """A clock for films that goes on when it is told, so that no step is long by accident."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        # Each look is a little later than the one before, as on the clock on the wall.
        self.now += 1e-6
        return self.now

    def block(self, seconds: float = LONG) -> None:
        """Do what `time.sleep` does, for whoever has this clock."""
        self.now += seconds


clock = Clock()


def watch(app: Application, visits: Sequence[str], **options: Any) -> Film:
    """Let visitors come who go away when all hangs, and not because the machine is busy."""
    return loopfilm.watch(app, visits, **{"timeout": HANGS, **options})


class Blocking(RequestHandler):
    def get(self) -> None:
        clock.block()


class Together(RequestHandler):
    """Answers when as many visitors wait as the settings say, however long that takes."""

    async def get(self) -> None:
        await meet(self.settings)
        self.write({"user": self.get_argument("user", "")})


async def meet(settings: dict[str, Any]) -> None:
    waiting = settings["waiting"]
    waiting.append(asyncio.Event())
    if len(waiting) == settings["size"]:
        for event in waiting:
            event.set()
        waiting.clear()
    else:
        await waiting[-1].wait()


def together(size: int, handler: type[RequestHandler] = Together) -> Application:
    return Application([("/", handler)], size=size, waiting=[])


async def turns_of_the_loop(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def refused(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return True
    return False


def count_descriptors() -> int:
    """Count the files and sockets that the process has open; 0 if the system does not tell."""
    return sum(1 for _ in DESCRIPTORS.iterdir()) if DESCRIPTORS.exists() else 0


def request(name: str, finished: float | None = None) -> Lane:
    """A lane for a film that is written by hand."""
    return Lane(name, Kind.REQUEST, finished)


def recorded(*steps: tuple[Lane | None, float, float], ended: float | None = 10) -> Film:
    """A film that began at 0, in whose record somebody wrote by hand."""
    f = Film()
    f.record = Record(began=0, ended=ended, steps=list(steps))
    return f


def drawn(f: Film) -> list[str]:
    """Every text of the picture."""
    return words_of(f.svg())


def words_of(svg: str) -> list[str]:
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.text]
