"""Tornado in several processes at one port; handlers compute on the loop, or in a pool of two.

| path | answer |
|---|---|
| `/` | hello |
| `/resource` | what a backend says of somebody |
| `/compute?times=100000` | what plain Python computes, by which process, from when to when |
| `/digest?times=10000` | the same of what C computes |
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from multiprocessing import get_context

from tornado.web import Application, HTTPError

from ..batteries.draining import serve_until
from ..batteries.prefork import HAS_FORK, prefork, shared_sockets
from ..sentences import SentenceHandler
from ..taken import way_out, why
from . import tornado_app
from .asking import CLIENTS, Ask
from .computing import Work, compute, digest, done
from .starting import announce, one_or_more, options

AT_ONCE = 2  # how many a pool has at work
MOST_PROCESSES = 64
MOST_TIMES = 10_000_000


def leave_ctrl_c_alone() -> None:
    """Let a process of the pool live on when Ctrl-C is pressed: who has made it ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


POOLS: dict[str, Callable[[], AbstractContextManager[Executor | None]]] = {
    "none": nullcontext,
    "threads": partial(ThreadPoolExecutor, AT_ONCE),
    # Not a fork: there is a loop.
    "processes": partial(
        ProcessPoolExecutor, AT_ONCE, get_context("spawn"), initializer=leave_ctrl_c_alone
    ),
}


class Compute(SentenceHandler):
    """Computes, on the loop or in a pool, and says who has done it and when."""

    def initialize(self, work: Work, pool: Executor | None) -> None:
        """Keep what is computed, and where."""
        self.work, self.pool = work, pool

    def prepare(self) -> None:
        """Read how much is to be computed."""
        words = self.only_argument("times", "1")
        if not re.fullmatch("[0-9]{1,9}", words) or not 1 <= int(words) <= MOST_TIMES:
            raise HTTPError(400, f"times must be a number from 1 to {MOST_TIMES}")
        self.times = int(words)

    async def get(self) -> None:
        """Compute, and answer."""
        if self.pool is None:
            found = done(self.work, self.times)
        else:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self.pool, done, self.work, self.times)
        self.write({**found})

    def compute_etag(self) -> None:
        """Add no ETag, which is more work."""


def make_app(ask: Ask, upstream: str, pool: Executor | None) -> Application:
    """Make an application that says hello, asks, and computes.

    Args:
        ask: how to ask the backend.
        upstream: the address of the backend.
        pool: who computes; the loop itself if nobody is given.
    """
    app = tornado_app.make_app(ask, upstream)
    works = {"/compute": compute, "/digest": digest}
    app.add_handlers(
        ".*", [(path, Compute, {"work": work, "pool": pool}) for path, work in works.items()]
    )
    return app


async def serve(
    sockets: list[socket.socket], stop: asyncio.Event, *, upstream: str, pool: str
) -> None:
    """Serve in one process until an event is set, see `prefork`.

    Args:
        sockets: where to listen.
        stop: the event.
        upstream: the address of the backend.
        pool: who computes, one of `POOLS`.
    """
    with POOLS[pool]() as executor:
        async with CLIENTS["simple"]() as ask:
            await serve_until(stop, make_app(ask, upstream, executor), sockets)


async def serve_alone(sockets: list[socket.socket], **more: str) -> None:
    """Serve in this process, until Ctrl-C or SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: loop.call_soon_threadsafe(stop.set))
    await serve(sockets, stop, **more)


def main() -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit status."""
    parser = options(__doc__)
    parser.add_argument("--processes", type=one_or_more, default=1)
    parser.add_argument(
        "--reuse-port",
        action="store_true",
        help="a socket for each process, among which the system divides the connections",
    )
    parser.add_argument("--pool", choices=POOLS, default="none", help="where it computes")
    given = parser.parse_args()
    if given.processes > MOST_PROCESSES:
        parser.error(f"argument --processes: there may be {MOST_PROCESSES} at most")
    if given.processes > 1 and not HAS_FORK:
        print("this system has no fork, and a process of it cannot become two", flush=True)
        return 1
    try:
        sockets = shared_sockets(given.port, given.processes, reuse_port=given.reuse_port)
    except (OSError, ValueError) as error:
        hint = way_out(error, given.port)
        print(f"cannot listen on port {given.port}: {why(error)}{hint}", file=sys.stderr)
        return 1
    more = {"upstream": given.upstream, "pool": given.pool}
    announce(sockets[0][0].getsockname()[1])
    if given.processes == 1:
        asyncio.run(serve_alone(sockets[0], **more))
        status = 0
    else:
        status = prefork(partial(serve, **more), sockets)
    print("stopped", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
