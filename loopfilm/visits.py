"""Run an application, let visitors come to it all at once, and film what happens."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from email.message import Message
from typing import Any
from urllib.parse import quote

from tornado.httpclient import HTTPError, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient

from .ending import end, wait_for_the_end
from .entries import NO_ANSWER, Answer
from .films import Film
from .labelling import lane_name
from .own_loop import on_own_loop
from .recorder import film
from .served import Served, as_served
from .serving import running

# What a path keeps as it is; "%" too, since a part of it may have been quoted already.
SAFE = "/?&=%:+,;@!$'()*~[]"
# How what is said of a visitor who lost patience begins.
LATE = "No answer within"


async def visited(
    app: Served,
    visits: Sequence[str],
    *,
    red: float = 0.25,
    where: bool = True,
    patience: float = 30.0,
    after: float = 0.0,
    script: Callable[[Film], Awaitable[object]] | None = None,
) -> Film:
    """Run an application and its visitors on the current loop, and return the film.

    Args:
        app: the application, see `watch`.
        visits: see `watch`.
        red: a step longer than this holds the loop, in seconds.
        where: whether the film says where, see `film`.
        patience: a visitor goes away after this time, in seconds, with status 599; from a loop
            that is held not before it goes on.
        after: for how many seconds the film goes on when all have their answers.
        script: what else is to happen meanwhile, if anything. It is called with the film that
            is being made, and what it returns is awaited together with the visits.

    Returns:
        The film; its `answers` are in the order of the visits.

    Raises:
        TypeError: the application is none, a visit no text, or the patience no number.
        ValueError: a visit is neither a path nor a name, or `red` or `patience` is no number
            of seconds above 0.
        OSError: the application could not be started.
        Exception: whatever the script raised.
    """
    paths = _paths(app, visits, patience)

    async def visit(client: SimpleAsyncHTTPClient, f: Film, url: str, path: str) -> Answer:
        lane = lane_name(app, _request_for(path))
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
            return Answer(NO_ANSWER, f"{LATE} {patience:g} s.")
        except (HTTPError, OSError):
            return Answer(NO_ANSWER, "The connection was lost.")
        except Exception as error:
            # A server may send what the client has no word for; the others are answered.
            return Answer(NO_ANSWER, f"The answer cannot be read: {error}.")
        if name is not None:
            f.answered(name)
        return Answer(response.code, _body(response))

    visitors: list[asyncio.Future[Answer]] = []
    scripts: list[asyncio.Future[object]] = []
    try:
        async with running(app) as url:
            client = SimpleAsyncHTTPClient(force_instance=True, max_clients=len(paths))
            try:
                with film(red=red, where=where) as f:
                    f.is_of_visits = True
                    visitors += [asyncio.ensure_future(visit(client, f, url, p)) for p in paths]
                    if script is not None:
                        scripts.append(asyncio.ensure_future(script(f)))
                    f.answers = (await asyncio.gather(*visitors, *scripts))[: len(paths)]
                    if after:
                        await asyncio.sleep(after)
            finally:
                client.close()
                await end(scripts)
    finally:
        # After a failure: the visitors go by themselves, since their connections are closed.
        await wait_for_the_end(visitors)
    return f


def watch(
    app: Served,
    visits: Sequence[str],
    *,
    red: float = 0.25,
    where: bool = True,
    timeout: float = 30.0,
) -> Film:
    """Run an application and its visitors on a loop of their own, and return the film.

    All visitors come at once, in the order given. The call blocks until the last has its
    answer, and needs no `await`: the loop runs in another thread.

    Args:
        app: the application, or whatever else an `HTTPServer` serves: a router, a
            `WSGIContainer`, a function; or such a server, which need not listen.
        visits: a path each, such as "/resources/?user=ada", or "ada", which is short for that
            one; a string is one visit. Visitors send GET, and follow no redirect.
        red: a step longer than this holds the loop, in seconds.
        where: whether the film says where, see `film`.
        timeout: a visitor goes away after this time, in seconds, with status 599; from a loop
            that is held not before it goes on.

    Returns:
        The film; its `answers` are in the order of the visits.

    Raises:
        TypeError: the application is none, a visit no text, or the patience no number.
        ValueError: a visit is neither a path nor a name, or `red` or `timeout` is no number of
            seconds above 0.
        OSError: the application could not be started.
    """
    paths = _paths(app, visits, timeout)
    coming = functools.partial(visited, app, paths, red=red, where=where, patience=timeout)
    return on_own_loop(coming)


def _paths(app: Served, visits: Sequence[str], patience: float) -> list[str]:
    """Return where the visitors go, if what was given makes sense."""
    as_served(app)
    given = [visits] if isinstance(visits, str) else visits
    if isinstance(given, Mapping | bytes | bytearray) or not isinstance(given, Iterable):
        raise TypeError(f"visits are a list of paths or names, not {given!r}")
    paths = [_path(visit) for visit in given]
    if isinstance(patience, bool) or not isinstance(patience, int | float):
        raise TypeError(f"a visitor's patience is a number of seconds, not {patience!r}")
    if not patience > 0:
        raise ValueError(f"a visitor has some seconds of patience, not {patience!r}")
    return paths


def _path(visit: object) -> str:
    """Return the path of one visit, as it is sent."""
    if not isinstance(visit, str):
        raise TypeError(f"a visit is a path or a name, not {visit!r}")
    if visit.startswith("/"):
        # Of a byte that is no text, a command line makes a letter that only this undoes.
        return quote(visit, safe=SAFE, errors="surrogateescape")
    if "://" in visit:
        raise ValueError(f"{visit!r} is an address: a visit is its path, from the / on")
    if not visit or "/" in visit or "?" in visit:
        raise ValueError(f"{visit!r} is no name, and a path begins with /: '/{visit}'")
    return f"/resources/?user={quote(visit, errors='surrogateescape')}"


def _request_for(path: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "127.0.0.1"}))


def _body(response: HTTPResponse) -> Any:
    """Return what came, as `Answer.body` has it."""
    kind = Message()
    kind["Content-Type"] = response.headers.get("Content-Type", "")
    try:
        text = response.body.decode(kind.get_content_charset("utf-8"))
    except (LookupError, ValueError):
        # It is no such text, or nobody here knows the charset.
        return response.body
    if kind.get_content_type() == "application/json":
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    return text
