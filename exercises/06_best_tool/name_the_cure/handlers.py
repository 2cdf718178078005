"""Five handlers that keep people waiting, each for another reason."""

from __future__ import annotations

import time
from urllib.parse import quote

import requests
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

CALCULATION = 0.45  # seconds of the processor


class Asking(RequestHandler):
    """What asks the backend about who visits it."""

    def initialize(self, backend: str, client: AsyncHTTPClient) -> None:
        """Take the address of the backend, and who asks it."""
        self.backend, self.client = backend, client

    def prepare(self) -> None:
        """Learn who visits."""
        self.user = self.get_argument("user")

    def address(self, thing: str) -> str:
        """Return where the backend tells something about the visitor."""
        return f"{self.backend}/{thing}?user={quote(self.user)}"


class Card(Asking):
    """Ask with a library that blocks."""

    def get(self) -> None:
        """Answer."""
        response = requests.get(self.address("profile"), timeout=30)
        self.write(response.json())


class Page(Asking):
    """Ask three things, of which none needs the others."""

    async def get(self) -> None:
        """Answer."""
        found: dict[str, object] = {}
        for thing in ("profile", "friends", "messages"):
            response = await self.client.fetch(self.address(thing))
            found |= json_decode(response.body)
        self.write(found)


class Remembered(Asking):
    """Ask once for each visitor, and keep what was said."""

    async def get(self) -> None:
        """Answer."""
        known, lock = self.settings["known"], self.settings["lock"]
        await lock.acquire()
        try:
            if self.user not in known:
                response = await self.client.fetch(self.address("profile"))
                known[self.user] = json_decode(response.body)
        finally:
            lock.release()
        self.write(known[self.user])


class Profile(Asking):
    """Ask one thing, with a client that is as it comes."""

    async def get(self) -> None:
        """Answer."""
        response = await self.client.fetch(self.address("profile"))
        self.write(json_decode(response.body))


class Price(Asking):
    """Ask nobody, and calculate."""

    def get(self) -> None:
        """Answer."""
        self.write({"price": add_up()})


def add_up() -> int:
    """Return a sum, after some time of the processor, the same on each machine."""
    total, end = 0, time.thread_time() + CALCULATION
    # Long steps: where the clock is asked, the system likes to take the processor away.
    while time.thread_time() < end:
        total += sum(range(2_000_000))
    return total
