"""The server under test: it asks an upstream, and tells the visitor what that said.

    python -m benchmarks._clients.servers MODE --upstream http://127.0.0.1:8901/ [--port 8902]

Each mode is a way to ask, with a session or client that all requests share. The sessions of
requests are as requests makes them, and keep ten connections; with "wide" they keep all, as
every other client here does. What a mode needs is imported in its function, so that the memory
of a process is that of its mode, and gevent patches before anything of it is imported.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .._shared import LOCALHOST
from .._shared.serving import BACKLOG, announce, end_with_stdin
from .body import BODY

if TYPE_CHECKING:
    import requests
    from tornado.web import RequestHandler

MAX_CONNECTIONS = 1000
# The visitor is told the end of what the upstream said, which is all of a short answer: what
# it costs to hand on a long one is not what is measured.
TOLD = len(BODY)


class Upstream(NamedTuple):
    """What is asked.

    Attributes:
        url: its address.
        ca: the file with the authority that it is trusted by, if it wants TLS.
        each: whether each request is made with `requests.get`, and without a session.
    """

    url: str
    ca: str | None = None
    each: bool = False

    def getter(self, session: requests.Session | None) -> Callable[[], bytes]:
        """Return what asks it once, with requests."""
        import requests

        verify = True if self.ca is None else self.ca
        if self.each or session is None:
            return lambda: requests.get(self.url, verify=verify).content
        session.verify = verify
        return lambda: session.get(self.url).content


def stock_session(wide: bool = False) -> requests.Session:
    """Return a session as requests makes it, or one that keeps more than ten connections."""
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    if wide:
        session.mount("http://", HTTPAdapter(pool_maxsize=MAX_CONNECTIONS))
    return session


def blocking(upstream: Upstream) -> type[RequestHandler]:
    """requests, which blocks the loop."""
    from tornado.web import RequestHandler

    ask = upstream.getter(stock_session())

    class Blocking(RequestHandler):
        def get(self) -> None:
            self.write(ask()[-TOLD:])

    return Blocking


def raw(upstream: Upstream, engine: str) -> type[RequestHandler]:
    """Tornado's own client, awaited."""
    import ssl

    from tornado.httpclient import AsyncHTTPClient
    from tornado.web import RequestHandler

    AsyncHTTPClient.configure(f"tornado.{engine}_httpclient.{engine.title()}AsyncHTTPClient")
    client = AsyncHTTPClient(force_instance=True, max_clients=MAX_CONNECTIONS)
    # "simple" makes a context for each request that is given a file; curl takes nothing else.
    trust: dict[str, Any] = {"ca_certs": upstream.ca}
    if upstream.ca and engine == "simple":
        trust = {"ssl_options": ssl.create_default_context(cafile=upstream.ca)}

    class Raw(RequestHandler):
        async def get(self) -> None:
            answer = await client.fetch(upstream.url, **trust)
            self.write(answer.body[-TOLD:])

    return Raw


def trequests(upstream: Upstream, engine: str) -> type[RequestHandler]:
    """requests, in a greenlet that waits for the loop."""
    import requests
    from tornado.web import RequestHandler

    from tornalet import tornalet
    from trequests import setup_session

    session = None if upstream.each else requests.Session()
    setup_session(session, engine=engine)
    ask = upstream.getter(session)

    class Trequests(RequestHandler):
        @tornalet
        def get(self) -> None:
            self.write(ask()[-TOLD:])

    return Trequests


def threads(upstream: Upstream, number: int, wide: bool = False) -> type[RequestHandler]:
    """requests, on threads."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from tornado.web import RequestHandler

    ask = upstream.getter(stock_session(wide))
    pool = ThreadPoolExecutor(number)

    class Threads(RequestHandler):
        async def get(self) -> None:
            answer = await asyncio.get_running_loop().run_in_executor(pool, ask)
            self.write(answer[-TOLD:])

    return Threads


def aiohttp(upstream: Upstream) -> type[RequestHandler]:
    """A client that was made for asyncio."""
    import aiohttp
    from tornado.web import RequestHandler

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS))

    class Aiohttp(RequestHandler):
        async def get(self) -> None:
            async with session.get(upstream.url) as response:
                self.write((await response.read())[-TOLD:])

    return Aiohttp


def httpx(upstream: Upstream) -> type[RequestHandler]:
    """Another client that was made for asyncio."""
    import httpx
    from tornado.web import RequestHandler

    # For each idle connection httpx looks through all of them: if it keeps 200 it makes twenty
    # requests a second, with the twenty that it keeps by default several hundred.
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=20)
    # By default httpx gives up after five seconds, also while it waits for a connection in its
    # pool; requests waits for ever.
    client = httpx.AsyncClient(limits=limits, timeout=None)

    class Httpx(RequestHandler):
        async def get(self) -> None:
            self.write((await client.get(upstream.url)).content[-TOLD:])

    return Httpx


HANDLERS: dict[str, Callable[[Upstream], type[RequestHandler]]] = {
    "blocking": blocking,
    "raw simple": lambda upstream: raw(upstream, "simple"),
    "raw curl": lambda upstream: raw(upstream, "curl"),
    "trequests simple": lambda upstream: trequests(upstream, "simple"),
    "trequests curl": lambda upstream: trequests(upstream, "curl"),
    "trequests sockets": lambda upstream: trequests(upstream, "sockets"),
    "32 threads": lambda upstream: threads(upstream, 32),
    "200 threads": lambda upstream: threads(upstream, 200),
    "200 threads, wide": lambda upstream: threads(upstream, 200, wide=True),
    "aiohttp": aiohttp,
    "httpx": httpx,
}
GEVENT = "gevent"
WIDE_GEVENT = "gevent, wide"
MODES = (*HANDLERS, GEVENT, WIDE_GEVENT)


def serve_on_tornado(mode: str, upstream: Upstream, port: int) -> None:
    """Serve on Tornado."""
    import asyncio

    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.web import Application

    async def serve() -> None:
        sockets = bind_sockets(port, LOCALHOST, backlog=BACKLOG)
        HTTPServer(Application([("/", HANDLERS[mode](upstream))])).add_sockets(sockets)
        announce(sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(serve())


def serve_on_gevent(upstream: Upstream, port: int, wide: bool) -> None:
    """Serve on gevent's own server, with all of the standard library patched."""
    from gevent import monkey  # type: ignore[import-untyped]

    monkey.patch_all()
    import socket

    from gevent.pywsgi import WSGIServer  # type: ignore[import-untyped]

    ask = upstream.getter(stock_session(wide))

    class Server(WSGIServer):  # type: ignore[misc]
        def handle(self, sock: Any, address: Any) -> None:
            # Without this an answer waits for the acknowledgement of the one before, and gevent
            # is six times slower.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            super().handle(sock, address)

    def application(_: Any, start_response: Any) -> Iterator[bytes]:
        content = ask()[-TOLD:]
        kind = ("Content-Type", "text/html; charset=UTF-8")
        start_response("200 OK", [kind, ("Content-Length", str(len(content)))])
        return iter([content])

    server = Server((LOCALHOST, port), application, backlog=BACKLOG, log=None)
    server.start()
    announce(server.server_port)
    server.serve_forever()


def main() -> None:
    """Serve in one of the modes until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks._clients.servers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--upstream", required=True, help="the address to ask")
    parser.add_argument("--ca", help="the file with the authority of an upstream with TLS")
    parser.add_argument("--each", action="store_true", help="ask without a session")
    parser.add_argument("--port", type=int, default=0, help="where to serve")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when stdin does")
    given = parser.parse_args()
    upstream = Upstream(given.upstream, given.ca, given.each)
    if given.end_with_stdin:
        end_with_stdin()
    try:
        # A pool of ten connections logs a warning for each that it does not keep. That would
        # cost more than the connection does, and is not what is measured here.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        if given.mode in (GEVENT, WIDE_GEVENT):
            serve_on_gevent(upstream, given.port, given.mode == WIDE_GEVENT)
        else:
            serve_on_tornado(given.mode, upstream, given.port)
    except ImportError as error:
        print(f"{given.mode} is left out: {error}", flush=True)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
