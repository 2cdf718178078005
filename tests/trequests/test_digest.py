"""One object for Digest authentication, for several people at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
from requests.auth import HTTPDigestAuth
from requests.utils import parse_dict_header
from tornado.web import Application, RequestHandler

from loopfilm import running, running_apart
from tornalet import run
from trequests import setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

FOUR = 4


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class Door(RequestHandler):
    """Asks everybody a question of their own, and does so when all have come."""

    nonces: set[str]
    come: asyncio.Barrier

    async def get(self) -> None:
        given = parse_dict_header(self.request.headers.get("Authorization", "")[7:])
        # Everybody comes twice: with no answer, and with one.
        await self.come.wait()
        nonce = given.get("nonce", "")
        secret = md5("ada", "door", "lovelace")
        request = md5("GET", self.request.uri or "")
        right = md5(
            secret, nonce, given.get("nc", ""), given.get("cnonce", ""), "auth", request
        )
        if nonce in self.nonces and given["response"] == right:
            # A question is answered once.
            self.nonces.remove(nonce)
            return
        new = f"question{len(self.nonces)}of{id(self)}"
        self.nonces.add(new)
        self.set_status(401)
        self.set_header("WWW-Authenticate", f'Digest realm="door", nonce="{new}", qop="auth"')


class Doors(Application):
    """A door that four people go through at once."""

    def __init__(self) -> None:
        handler = type("Door", (Door,), {"nonces": set(), "come": asyncio.Barrier(FOUR)})
        super().__init__([(r"/\d", handler)])


@asynccontextmanager
async def four_at_once(session: requests.Session | None) -> AsyncIterator[list[int]]:
    auth = HTTPDigestAuth("ada", "lovelace")
    async with running(Doors()) as url:
        with setup_session(session):
            get = session.get if session else requests.get
            asked = (run(get, f"{url}/{n}", auth=auth, timeout=500) for n in range(FOUR))
            yield [answer.status_code for answer in await asyncio.gather(*asked)]


async def test_each_greenlet_answers_its_own_question() -> None:
    async with four_at_once(None) as seen:
        assert seen == [200] * FOUR


async def test_also_where_one_session_is_set_up() -> None:
    with requests.Session() as session:
        async with four_at_once(session) as seen:
            assert seen == [200] * FOUR


def test_threads_do_so_as_ever() -> None:
    auth = HTTPDigestAuth("ada", "lovelace")
    with running_apart(Doors()) as url, setup_session(), ThreadPoolExecutor(FOUR) as threads:

        def ask(n: int) -> int:
            return requests.get(f"{url}/{n}", auth=auth, timeout=500).status_code

        assert [*threads.map(ask, range(FOUR))] == [200] * FOUR


def test_at_the_end_of_the_last_setup_new_objects_are_as_ever() -> None:
    with requests.Session() as session:
        first, second = setup_session(session), setup_session()
        first.close()
        for setup, kind in ((second, "PerGreenlet"), (None, "_local")):
            auth: Any = HTTPDigestAuth("ada", "lovelace")
            auth.init_per_thread_state()
            assert type(auth._thread_local).__name__ == kind
            if setup:
                setup.close()
