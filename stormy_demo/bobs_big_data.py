"""Bob's library. Bob has never heard of Tornado; he likes requests, and his users like him."""

from __future__ import annotations

import time
from typing import Any

import requests

from stormy_demo.agreed import said_of
from stormy_demo.strict_requests import within


class BigData:
    """Data that Bob's service should have.

    Args:
        data: the fields to send.
    """

    url = "http://127.0.0.1:8889/data"

    def __init__(self, data: dict[str, str]) -> None:
        """Keep the data."""
        self.data = data

    def post(self) -> Any:
        """Send the data, and return what the service says to it."""
        r = requests.post(self.url, data=self.data)
        return r.json()


def ask(url: str, thing: str, user: str, timeout: float) -> Any:
    """Return what the service at this address knows of this thing about this user.

    Args:
        url: address of the service.
        thing: "profile", "friends" or "messages".
        user: whose.
        timeout: seconds that it has, see `within`.

    Raises:
        requests.RequestException: the service failed, or was too slow.
        BackendError: what it said is not what was agreed.
    """
    r = requests.get(f"{url}/{thing}", params={"user": user}, **within(timeout))
    return said_of(thing, r.status_code, r.content)


def ask_all(url: str, things: tuple[str, ...], user: str, timeout: float) -> dict[str, Any]:
    """Return what the service knows of all these things, asked one after another.

    Args:
        url: address of the service.
        things: what to ask about.
        user: whose.
        timeout: seconds for all of it.

    Raises:
        requests.RequestException: the service failed, or was too slow.
        BackendError: what it said is not what was agreed.
    """
    end = time.monotonic() + timeout
    answers = {}
    for thing in things:
        left = end - time.monotonic()
        if left <= 0:
            raise requests.Timeout(f"no time was left to ask about {thing}")
        answers[thing] = ask(url, thing, user, left)
    return answers
