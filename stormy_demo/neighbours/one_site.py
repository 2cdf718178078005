"""One site, half of it ours and half somebody else's: Tornado's handlers beside Starlette's.

    python -m stormy_demo.neighbours.one_site
    curl http://127.0.0.1:8888/ours
    curl http://127.0.0.1:8888/theirs/who

Both run on one loop. What theirs does in a `def` runs in a thread of anyio's.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import Mapping
from typing import Any

from tornado.log import enable_pretty_logging
from tornado.web import Application, RequestHandler

from loopfilm import LOCALHOST, CannotListen
from stormy_demo.program import _serve_until_signal
from stormy_demo.sentences import NotFoundHandler, SentenceHandler

from .asgi import AsgiApp, at
from .counterparts.starlette_site import site
from .lifespan import CannotStart, lifespan

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>One site</title>
<h1>One site</h1>
<p><a href="/ours">Ours</a>, by Tornado. <a href="/theirs/">Theirs</a>, by Starlette.</p>
</html>
"""


class PageHandler(RequestHandler):
    """The page from which both halves are found."""

    def get(self) -> None:
        """Answer with it."""
        self.write(PAGE)


class OursHandler(SentenceHandler):
    """Our half."""

    async def get(self) -> None:
        """Tell the thread."""
        self.write({"thread": threading.current_thread().name})


def make_app(
    theirs: AsgiApp = site, state: Mapping[str, Any] | None = None, largest: int = 10_000_000
) -> Application:
    """Make the site.

    Args:
        theirs: the application of the other half.
        state: what it keeps for its requests, from `lifespan`.
        largest: how many bytes a body that is sent to it may have.
    """
    return Application(
        [
            (r"/", PageHandler),
            (r"/ours", OursHandler),
            at("/theirs", theirs, state=state, largest=largest),
        ],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/, /ours and /theirs/"},
    )


def main(argv: list[str] | None = None, theirs: AsgiApp = site) -> int:
    """Run the site until Ctrl-C or SIGTERM.

    Args:
        argv: the command line, without the program's name; that of the process if left out.
        theirs: the application of the other half.

    Returns:
        The exit status: 0 when it was stopped, 1 when it could not serve, 130 when Ctrl-C came
        before it did.

    Raises:
        SystemExit: the command line was not understood, or asked for help.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8888, help="0 lets the system pick")
    parser.add_argument("--address", default=LOCALHOST, help="one of this machine's")
    given = parser.parse_args(argv)
    enable_pretty_logging()
    try:
        asyncio.run(_serve(theirs, given.port, given.address))
    except (CannotStart, CannotListen) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve(theirs: AsgiApp, port: int, address: str) -> None:
    async with lifespan(theirs) as state:
        await _serve_until_signal(make_app(theirs, state), port, address)


if __name__ == "__main__":
    sys.exit(main())
