"""One site, half of it ours and half somebody else's: Tornado's handlers beside Starlette's.

    python -m stormy_demo.neighbours.one_site
    curl http://127.0.0.1:8888/ours
    curl http://127.0.0.1:8888/theirs/who

Both run on one loop. What theirs does in a `def` runs in a thread of anyio's.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.web import Application, RequestHandler

from stormy_demo.batteries.small_bodies import SmallBodies
from stormy_demo.missing import in_a_sentence
from stormy_demo.program import main
from stormy_demo.sentences import NotFoundHandler, SentenceHandler

from .asgi import at
from .asgi_scope import AsgiApp
from .lifespan import CannotStart, lifespan

with in_a_sentence(__name__):
    from .counterparts.starlette_site import site

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


def make_app(largest: int = 10_000_000) -> Application:
    """Make the site.

    Args:
        largest: how many bytes a body that is sent to the other half may have

    Raises:
        ValueError: largest is less than 0.
    """
    if largest < 0:
        raise ValueError(f"largest must be 0 or more, not {largest}")
    return with_theirs(site, largest)


def with_theirs(theirs: AsgiApp, largest: int) -> Application:
    """Make the site of an application, which starts and ends with it.

    Args:
        theirs: the application of the other half.
        largest: see `make_app`.
    """
    # What it keeps for its requests, as soon as it has started.
    state: dict[str, Any] = {}

    @asynccontextmanager
    async def with_its_lifespan() -> AsyncIterator[None]:
        async with lifespan(theirs) as found:
            state.update(found)
            yield

    return SmallBodies(
        [
            (r"/", PageHandler),
            (r"/ours", OursHandler),
            at("/theirs", theirs, state=state, largest=largest),
        ],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/, /ours and /theirs/"},
        while_running=with_its_lifespan,
    )


if __name__ == "__main__":
    try:
        sys.exit(main(make_app))
    except CannotStart as error:
        sys.exit(str(error))
