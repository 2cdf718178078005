"""Film a server that is running: an address of it that records what goes on, and shows it."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import re
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.routing import URLSpec
from tornado.web import Finish, RequestHandler

from . import page
from .films import Film
from .recorder import film
from .unwrapped import leave_out

RED = 0.25  # seconds
# Steps; of a server that has more in this time the film keeps the first.
MOST_STEPS = 200_000
FORMATS: dict[str, tuple[str, Callable[[Film], str]]] = {
    "html": ("text/html", page.of_film),
    "trace": ("application/json", Film.trace),
    "json": ("application/json", Film.trace),
    "text": ("text/plain", Film.table),
}
# What a proxy adds. Its clients are anywhere, although it may be on this machine.
FORWARDED = (
    "forwarded",
    "x-forwarded-",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "via",
)
# Also that nobody puts a film into a page of his own, which only a header can say.
POLICY = f"{page.POLICY}; frame-ancestors 'none'"


def handler(
    path: str = r"/loopfilm", *, from_anywhere: bool = False, most_seconds: float = 60
) -> URLSpec:
    """Return an entry for the list of handlers of an application, which films its loop.

    `GET /loopfilm?seconds=5` records the next five seconds, and answers with a page: who held
    the loop, where, and what was waited for. `&red=0.1` is stricter than 0.25 s;
    `&format=trace` answers with what Perfetto opens, `&format=text` with a plain table. While
    nobody asks, nothing is recorded, and nothing costs anything.

    The film is of the whole loop of this process, whatever the application; its own request is
    not in it. One is made at a time.

    A request is one of this machine if its connection comes from here, it asks for 127.0.0.1 or
    localhost, and nothing shows that it came through a proxy, or was sent by a page of another
    site. A proxy on this machine that speaks HTTP/1.1 and adds no header of its own looks like
    this machine: have such a proxy refuse the path, or leave the handler out there.

    Args:
        path: the address, a regular expression as for every handler; it begins with /.
        from_anywhere: whether others may ask than clients on this machine. A film shows names
            of requests and lines of the source.
        most_seconds: how long a film may be.

    Returns:
        What to put into the list: `Application([..., loopfilm.handler()])`.

    Raises:
        TypeError: a parameter is of another type.
        ValueError: `most_seconds` is not a finite number above 0, or no address can match the
            path.
    """
    if not isinstance(path, str):
        raise TypeError(f"path is a string, not {path!r}")
    if not path or NO_PATH.match(path):
        raise ValueError(f"a path begins with /, which {path!r} does not")
    if isinstance(most_seconds, bool) or not isinstance(most_seconds, int | float):
        raise TypeError(f"most_seconds is a number of seconds, not {most_seconds!r}")
    if not 0 < most_seconds < math.inf:
        raise ValueError(f"most_seconds is a number of seconds above 0, not {most_seconds!r}")
    options = {"from_anywhere": bool(from_anywhere), "most_seconds": most_seconds}
    return URLSpec(path, _Recording, options)


# A letter, where a slash must be. What begins in any other way may be more of an expression.
NO_PATH = re.compile(r"\^?[\w\s%~-]")

# The loops whose next seconds somebody has asked for.
_filmed: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()


class _Recording(RequestHandler):
    def initialize(self, from_anywhere: bool, most_seconds: float) -> None:
        self.from_anywhere = from_anywhere
        self.most_seconds = most_seconds
        self.over: asyncio.Future[None] | None = None

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", POLICY)

    def prepare(self) -> None:
        if not self.from_anywhere and (why := _why_not_from_here(self.request)):
            raise self.refusal(403, why)

    # A path may have groups, which nobody wants.
    def head(self, *_: str, **__: str) -> None:
        self.get_usage()

    async def get(self, *_: str, **__: str) -> None:
        if "seconds" not in self.request.query_arguments:
            return self.get_usage()
        seconds = self.number("seconds", self.most_seconds)
        red = self.number("red", max(RED, self.most_seconds), default=RED)
        kind = self.get_query_argument("format", "html")
        if kind not in FORMATS:
            raise self.refusal(400, f"format is one of {', '.join(FORMATS)}, not {kind!r}.")
        loop = asyncio.get_running_loop()
        if loop in _filmed:
            raise self.refusal(409, "Somebody else is filming this loop: ask again later.")
        _filmed.add(loop)
        try:
            f = await self.recorded(seconds, red)
            if not _is_gone(self.request):
                content, written = FORMATS[kind]
                # Not on this loop, which many steps would keep for a second or two.
                text = await loop.run_in_executor(None, written, f)
                self.set_header("Content-Type", f"{content}; charset=utf-8")
                self.write(text if text.endswith("\n") else f"{text}\n")
        finally:
            _filmed.discard(loop)

    async def recorded(self, seconds: float, red: float) -> Film:
        """Film the loop until the time is over, or the client has gone away."""
        leave_out(self)
        loop = asyncio.get_running_loop()
        # A future and a timer: a task would be in the film.
        self.over = loop.create_future()
        timer = loop.call_later(seconds, self.end)
        try:
            with film(red=red) as f:
                f.record.most_steps = MOST_STEPS
                if _is_gone(self.request):
                    self.end()
                await self.over
        except TypeError as error:
            raise self.refusal(501, f"{error}.") from None
        finally:
            timer.cancel()
        return f

    def end(self) -> None:
        if self.over is not None and not self.over.done():
            self.over.set_result(None)

    def on_connection_close(self) -> None:
        self.end()

    def get_usage(self) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(page.of_usage(self.request.path, self.most_seconds))

    def number(self, name: str, most: float, default: float = math.nan) -> float:
        """Return the number of seconds that an argument says."""
        text = self.get_query_argument(name, str(default))
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not 0 < number <= most:
            example = {"seconds": min(5, self.most_seconds)} | {name: min(1, most)}
            raise self.refusal(
                400,
                f"{name} is a number above 0, {most:g} at most, not {text!r}."
                f" For example: {self.request.path}?{urlencode(example)}",
            )
        return number

    def refusal(self, status: int, why: str) -> Finish:
        """Answer with a sentence, and return what ends the handler."""
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(f"{why}\n")
        return Finish()


def _why_not_from_here(request: HTTPServerRequest) -> str | None:
    """Return why a request is none of this machine, or `None` if it is one."""
    forwarded = [name for name in request.headers if name.lower().startswith(FORWARDED)]
    if forwarded:
        found = f"this request came through a proxy: it has {', '.join(forwarded)}"
    elif not _is_loopback(_peer(request)):
        found = "this request did not"
    elif request.version == "HTTP/1.0":
        found = "this request came through a proxy, it seems: it is one of HTTP/1.0"
    elif not _is_local_name(request.host_name):
        # A page on the web can have a name that means this machine.
        found = "this request is for another host: ask for it at 127.0.0.1 or localhost"
    elif _is_from_other_site(request.headers):
        found = "this request was sent by a page of another site"
    else:
        return None
    return (
        f"Films are for requests from this machine only, and {found}."
        " loopfilm.handler(from_anywhere=True) allows all."
    )


def _peer(request: HTTPServerRequest) -> str:
    """Return the address of whoever is connected, which no header can change."""
    try:
        address: Any = request.connection.stream.socket.getpeername()  # type: ignore[union-attr]
    except (AttributeError, OSError):
        return ""
    # That of a Unix socket is a text, and says nothing of who connected to it.
    return str(address[0]) if isinstance(address, tuple) else ""


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _is_local_name(host: str) -> bool:
    name = host.lower().strip("[]").rstrip(".")
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_from_other_site(headers: HTTPHeaders) -> bool:
    """Return whether a browser says so; to follow a link, or type the address, is no harm."""
    site, mode = headers.get("Sec-Fetch-Site", ""), headers.get("Sec-Fetch-Mode", "")
    return site in ("cross-site", "same-site") and mode != "navigate"


def _is_gone(request: HTTPServerRequest) -> bool:
    stream = getattr(request.connection, "stream", None)
    return stream is None or bool(stream.closed())
