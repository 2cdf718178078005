"""Three handlers that look something up, with the same library."""

import asyncio
import time

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


def look_up(word: str) -> str:
    """Look something up, as a library does that knows nothing of loops."""
    time.sleep(1)
    return f"all about {word}"


class Menu(RequestHandler):
    """Look it up for everybody."""

    async def get(self) -> None:
        """Answer."""
        await asyncio.sleep(0.6)
        self.write(await self.ask("menu"))

    async def ask(self, word: str) -> str:
        """Ask the library."""
        return look_up(word)  # line p


class Letters(RequestHandler):
    """Look it up for everybody."""

    async def get(self) -> None:
        """Answer."""
        loop = IOLoop.current()
        letters = await loop.run_in_executor(None, look_up, "letters")  # line q
        await asyncio.sleep(0.6)
        self.write(letters)


class Rates(RequestHandler):
    """Look it up once, and remember it."""

    def initialize(self, known: dict[str, str]) -> None:
        """Take what all visitors know."""
        self.known = known

    async def get(self) -> None:
        """Answer."""
        if "rates" not in self.known:  # line r
            self.known["rates"] = look_up("rates")  # line s
        await asyncio.sleep(0.6)  # line t
        self.write(self.known["rates"])
