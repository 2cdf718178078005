"""Providers that do what a test says, where a real one would do what is right."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey
from tornado.web import Application, RequestHandler

from loopfilm import running
from stormy_demo.batteries.counterparts.providers import KEY
from tests import bad_clients

Answer = Callable[[RequestHandler], Any]

RSA = RSAKey.generate_key(2048, {"kid": "ours"})


def says(body: Any, status: int = 200) -> Answer:
    """Answer with this body, an object as JSON."""

    def answer(handler: RequestHandler) -> None:
        handler.set_status(status)
        handler.write(body)

    return answer


def slowly(answer: Answer, seconds: float) -> Answer:
    """Give an answer after so many seconds, or later."""

    async def answer_later(handler: RequestHandler) -> None:
        await asyncio.sleep(seconds)
        answer(handler)

    return answer_later


def redirects(handler: RequestHandler) -> None:
    handler.redirect("/elsewhere")


def drops(handler: RequestHandler) -> None:
    handler.detach().close()


async def hangs(handler: RequestHandler) -> None:
    await asyncio.Event().wait()


def sends_too_much(handler: RequestHandler) -> None:
    handler.write(b"x" * 100_000)


# What any question of ours may be answered, and what our client is told then.
FAILURES: Mapping[str, tuple[Answer, int]] = {
    "500": (says("no", 500), 502),
    "404": (says({"error": "no"}, 404), 502),
    "redirect": (redirects, 502),
    "dropped": (drops, 502),
    "nothing": (says(b""), 502),
    "no JSON": (says(b"<html>"), 502),
    "no UTF-8": (says(b"\xff\xfe"), 502),
    "no object": (says(b"[1, 2]"), 502),
    "nested": (says(b"[" * 20_000), 502),
    "not what was agreed": (says({"hello": "world"}), 502),
    "too much": (sends_too_much, 502),
    "hangs": (hangs, 504),
}


def provider_survives(
    data: st.DataObject, url: str, paths: Sequence[str], arguments: Sequence[str]
) -> None:
    """Have a client that misbehaves visit a provider of WSGI, and one that behaves."""
    # It listens to nobody who calls it by another name.
    by_name = b"Host: " + url.removeprefix("http://").encode()
    visits = bad_clients.visits(
        bad_clients.http_requests(paths, arguments).map(
            lambda request: request.replace(b"Host: here", by_name)
        )
    )
    heard = bad_clients.talk(url, data.draw(visits))
    # A version of HTTP that there is not is a 505, by the standard.
    assert {*bad_clients.statuses(heard)} <= {*range(100, 500), 505}, heard
    with bad_clients.connect(url) as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\n" + by_name + b"\r\n\r\n")
        assert bad_clients.statuses(bad_clients.read_to_the_end(connection)) == [404]


def hosts_in(page: bytes) -> set[str]:
    """Return the hosts that a page names, but for links that somebody may follow or not."""
    soup = BeautifulSoup(page, "html.parser")
    for link in soup("a"):
        link.decompose()
    return set(re.findall(r"//([\w.-]+)", str(soup)))


@asynccontextmanager
async def provider_that(answers: Mapping[str, Answer]) -> AsyncIterator[str]:
    """Run a provider that has these answers, by path."""

    class Handler(RequestHandler):
        async def get(self) -> None:
            answer = answers.get(self.request.path, says("nothing here", 404))
            if (waiting := answer(self)) is not None:
                await waiting

        post = get

    async with running(Application([(".*", Handler)])) as url:
        yield url


@dataclass
class Claims:
    """What an ID token says, and how it is signed; a right one, but for what a test changes."""

    changes: Mapping[str, Any]
    alg: str = "RS256"
    key: Any = None

    def token(self, issuer: str, nonce: str) -> str:
        now = int(time.time())
        right = {
            "iss": issuer,
            "aud": KEY,
            "sub": "ada",
            "nonce": nonce,
            "iat": now,
            "exp": now + 3600,
        }
        said = {k: v for k, v in {**right, **self.changes}.items() if v is not None}
        return jwt.encode({"alg": self.alg, "kid": "ours"}, said, self.key or RSA, [self.alg])


def openid_answers(**other: Answer) -> dict[str, Answer]:
    """Return the answers of an OpenID provider: `configuration`, `token` and `keys`."""

    def configuration(handler: RequestHandler) -> None:
        here = f"http://{handler.request.host}"
        handler.write(
            {
                "issuer": here,
                "authorization_endpoint": f"{here}/authorize",
                "token_endpoint": f"{here}/token",
                "jwks_uri": f"{here}/keys",
            }
        )

    return {
        "/.well-known/openid-configuration": other.get("configuration", configuration),
        "/token": other.get("token", gives(Claims({}))),
        "/keys": other.get("keys", says({"keys": [RSA.as_dict(private=False)]})),
    }


def gives(claims: Claims, **more: str) -> Answer:
    """Answer with an ID token, and with more; as its code comes the nonce."""

    def answer(handler: RequestHandler) -> None:
        nonce = handler.get_body_argument("code")
        token = claims.token(f"http://{handler.request.host}", nonce)
        right = {"id_token": token, "access_token": "x", "token_type": "Bearer"}
        handler.write({**right, **more})

    return answer
