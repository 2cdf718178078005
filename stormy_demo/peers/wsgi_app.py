"""A plain application for any server that speaks WSGI; it asks its backend with requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.client import responses

import requests
from requests.adapters import HTTPAdapter

from ..agreed import BackendError, NoAnswer
from ..strict_requests import fault_of
from . import answers, starting

StartResponse = Callable[[str, list[tuple[str, str]]], object]
WsgiApp = Callable[[dict[str, object], StartResponse], Iterable[bytes]]


def wide_session() -> requests.Session:
    """Return a session that keeps all connections: as it comes, it keeps ten."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=starting.MOST_ASKED))
    return session


def ask(session: requests.Session, url: str) -> bytes:
    """Ask a backend, and return the body of its answer.

    Raises:
        BackendError: it gave none, or one with another status, or none in time.
    """
    try:
        answer = session.get(url, timeout=starting.PATIENCE)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise (fault_of(error) or NoAnswer()) from error
    return answer.content


def make_app(upstream: str) -> WsgiApp:
    """Make an application that says hello, works, and asks.

    Args:
        upstream: the address of the backend.
    """
    session, url = wide_session(), upstream + answers.QUESTION

    def application(asked: dict[str, object], start: StartResponse) -> Iterable[bytes]:
        status = "200 OK"
        more: list[tuple[str, str]] = []
        match asked["REQUEST_METHOD"], asked["PATH_INFO"]:
            case "GET", "/":
                kind, body = answers.TEXT, answers.HELLO
            case "GET", "/report":
                kind, body = answers.JSON, answers.report()
            case "GET", "/resource":
                try:
                    kind, body = answers.JSON, answers.resource(ask(session, url))
                except BackendError as fault:
                    status = f"{fault.status} {responses[fault.status]}"
                    kind, body = answers.TEXT, str(fault).encode()
            case "GET", _:
                status, kind, body = "404 Not Found", answers.TEXT, answers.NO_PAGE
            case _:
                status, kind, body = "405 Method Not Allowed", answers.TEXT, answers.ONLY_GET
                more = [("Allow", "GET")]
        length = str(len(body))
        headers = [("Server", "gevent"), ("Content-Type", kind), ("Content-Length", length)]
        start(status, headers + more)
        # Who asks with HEAD is told the length of a body, and gets none.
        return [b"" if asked["REQUEST_METHOD"] == "HEAD" else body]

    return application
