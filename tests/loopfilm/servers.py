"""Small servers to film, and what the tests of films share."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tornado.web import Application, RequestHandler

from loopfilm import Film

LONG = 0.3  # seconds; a step may last 0.25 before it holds the loop
DESCRIPTORS = Path("/proc/self/fd")
ALL_THREE = ["/?user=ada", "/?user=grace", "/?user=alan"]


class Blocking(RequestHandler):
    def get(self) -> None:
        time.sleep(LONG)


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


def drawn(f: Film) -> list[str]:
    """Every text of the picture."""
    return [
        element.text or "" for element in ElementTree.fromstring(f.svg()).iter() if element.text
    ]
