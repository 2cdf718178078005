"""Visitors: an application is run, they come all at once, and all of it is filmed."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

from tornado.escape import json_decode, to_unicode
from tornado.httpclient import HTTPError, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient
from tornado.web import Application

from .films import NO_ANSWER, Answer, Film
from .lanes import name_of
from .recorder import film
from .running import on_own_loop, running

# What may stand in an address as it is; "%" is there for what was quoted before.
URL = "/?&=%:+,;@!$'()*~[]"


async def visited(
    app: Application,
    visits: Sequence[str],
    *,
    red: float = 0.25,
    patience: float = 30.0,
    script: Callable[[Film], Awaitable[object]] | None = None,
) -> Film:
    """Run an application and its visitors on the current loop, and return the film.

    Args:
        app: the application.
        visits: see `watch`.
        red: a step longer than this holds the loop, in seconds.
        patience: a visitor goes away after this time, in seconds, with status 599.
        script: what happens meanwhile, if anything does. It is given the film while that is
            being made, and awaited beside the visits.

    Returns:
        The film; its `answers` are in the order of the visits.

    Raises:
        OSError: the application could not be started.
        Exception: whatever the script raised.
    """
    paths = [
        quote(visit, safe=URL) if visit.startswith("/") else f"/resources/?user={quote(visit)}"
        for visit in ([visits] if isinstance(visits, str) else visits)
    ]

    async def visit(client: SimpleAsyncHTTPClient, f: Film, url: str, path: str) -> Answer:
        lane = name_of(app, _request_for(path))
        name = None if lane is None else f.asked(lane)
        try:
            response = await client.fetch(
                url + path,
                raise_error=False,
                follow_redirects=False,
                connect_timeout=patience,
                request_timeout=patience,
            )
        except HTTPTimeoutError:
            return Answer(NO_ANSWER, f"No answer within {patience:g} s.")
        except (HTTPError, OSError):
            return Answer(NO_ANSWER, "The connection was lost.")
        if name is not None:
            f.answered(name)
        return Answer(response.code, _body(response))

    async with running(app) as url:
        client = SimpleAsyncHTTPClient(force_instance=True, max_clients=max(len(paths), 1))
        try:
            with film(red=red) as f:
                coming = [visit(client, f, url, path) for path in paths]
                events = [] if script is None else [script(f)]
                f.answers = (await asyncio.gather(*coming, *events))[: len(paths)]
        finally:
            client.close()
    return f


def watch(
    app: Application, visits: Sequence[str], *, red: float = 0.25, timeout: float = 30.0
) -> Film:
    """Run an application and its visitors on a loop of their own, and return the film.

    All visitors come at once, in the order given. The call blocks until the last has its
    answer, and needs no `await`: the loop runs in another thread.

    Args:
        app: the application.
        visits: a path each, such as "/resources/?user=ada", or short "ada" for that; one string
            is one visit.
        red: a step longer than this holds the loop, in seconds.
        timeout: a visitor goes away after this time, in seconds, with status 599.

    Returns:
        The film; its `answers` are in the order of the visits.

    Raises:
        OSError: the application could not be started.
    """
    return on_own_loop(functools.partial(visited, app, visits, red=red, patience=timeout))


def _request_for(path: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "127.0.0.1"}))


def _body(response: HTTPResponse) -> Any:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        try:
            return json_decode(response.body)
        except ValueError:
            pass
    return to_unicode(response.body)
