"""A plain application for any server that speaks WSGI; it asks its backend with requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import requests
from requests.adapters import HTTPAdapter

from . import answers
from .starting import MOST_ASKED

StartResponse = Callable[[str, list[tuple[str, str]]], object]
WsgiApp = Callable[[dict[str, object], StartResponse], Iterable[bytes]]


def wide_session() -> requests.Session:
    """Return a session that keeps all connections: as it comes, it keeps ten."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=MOST_ASKED))
    return session


def make_app(upstream: str) -> WsgiApp:
    """Make an application that says hello, works, and asks.

    Args:
        upstream: the address of the backend.
    """
    session, url = wide_session(), upstream + answers.QUESTION

    def ask() -> bytes:
        answer = session.get(url)
        answer.raise_for_status()
        return answer.content

    def application(asked: dict[str, object], start: StartResponse) -> Iterable[bytes]:
        status = "200 OK"
        match asked["PATH_INFO"]:
            case "/":
                kind, body = answers.TEXT, answers.HELLO
            case "/report":
                kind, body = answers.JSON, answers.report()
            case "/resource":
                kind, body = answers.JSON, answers.resource(ask())
            case _:
                status, kind, body = "404 Not Found", answers.TEXT, b"There is no such page"
        length = str(len(body))
        headers = [("Server", "gevent"), ("Content-Type", kind), ("Content-Length", length)]
        start(status, headers)
        return [body]

    return application
