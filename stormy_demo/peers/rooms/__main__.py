"""Serve one of the rooms: `python -m stormy_demo.peers.rooms NAME`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import signal
from collections.abc import Coroutine
from typing import Any

from .. import rooms
from ..starting import EndWithStdin, need, port, until_stopped
from .listening import listen

# Which packages each of them wants, by the names under which they are imported.
ROOMS = {
    "tornado_room": [],
    "aiohttp_room": ["aiohttp"],
    "websockets_room": ["websockets"],
    "gevent_room": ["gevent"],
    "socketio_tornado": ["socketio"],
    "socketio_uvicorn": ["socketio", "uvicorn", "websockets"],
    "socketio_gevent": ["socketio", "gevent", "simple_websocket"],
}


def main() -> None:
    """Serve until Ctrl-C.

    Raises:
        SystemExit: the command line is wrong, a package is missing, or the port taken.
    """
    parser = argparse.ArgumentParser(
        prog="python -m stormy_demo.peers.rooms",
        description=rooms.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=ROOMS)
    parser.add_argument("--port", type=port, default=8888, help="0 lets the system pick")
    parser.add_argument("--end-with-stdin", action=EndWithStdin, help="end when stdin does")
    given = parser.parse_args()
    need(*ROOMS[given.name])
    serve = importlib.import_module(f".{given.name}", rooms.__name__).serve
    listener = listen(given.port)
    if inspect.iscoroutinefunction(serve):
        until_stopped(lambda: _run(serve(listener)))
    else:
        until_stopped(lambda: serve(listener))


def _run(serving: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(_until_told(serving))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _until_told(serving: Coroutine[Any, Any, None]) -> None:
    # An interrupt would end what happens to run. And where SIGINT is ignored, as in a shell's
    # background, asyncio leaves it alone, so SIGTERM cannot be handed on as that.
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: loop.call_soon_threadsafe(task.cancel))
    await serving


if __name__ == "__main__":
    main()
