"""Somebody else's application: a small one for Starlette, which knows nothing of Tornado.

It says who runs it, sends bodies up and down, works after it has answered, and fails. Any
server of ASGI serves it: `hypercorn stormy_demo.neighbours.counterparts.starlette_site:site`.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

try:
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import (
        HTMLResponse,
        JSONResponse,
        PlainTextResponse,
        Response,
        StreamingResponse,
    )
    from starlette.routing import Route
except ImportError as error:
    raise ImportError(
        "Somebody else's application needs Starlette: pip install starlette", name=error.name
    ) from error

MOST_LINES = 1_000_000
LONGEST_NAP = 10.0  # seconds

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Theirs</title>
<h1>Theirs</h1>
<p>Starlette wrote this, and has written {notes} notes.</p>
<ul>
<li><a href="{root}/who">Whose thread</a>
<li><a href="{root}/nap?seconds=2">A nap of two seconds, in a thread</a>
<li><a href="{root}/lines?count=1000">A thousand lines, one after another</a>
<li><a href="{root}/broken">What is broken</a>
</ul>
"""


class State(TypedDict):
    """What is there from the first request to the last."""

    notes: list[str]


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[State]:
    """Open the book of notes."""
    yield {"notes": []}


async def page(request: Request) -> Response:
    """Answer with a page."""
    root = request.scope.get("root_path", "")
    return HTMLResponse(PAGE.format(root=root, notes=len(request.state.notes)))


async def who(_: Request) -> Response:
    """Tell the thread of an `async def`."""
    return JSONResponse({"thread": threading.current_thread().name})


def nap(request: Request) -> Response:
    """Sleep, and tell the thread of a `def`."""
    try:
        seconds = float(request.query_params.get("seconds", "0"))
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_NAP:
        raise HTTPException(400, f"seconds must be from 0 to {LONGEST_NAP:g}")
    time.sleep(seconds)
    return JSONResponse({"thread": threading.current_thread().name})


async def lines(request: Request) -> Response:
    """Send as many lines as somebody asks for, each when it is made."""
    text = request.query_params.get("count", "10")
    count = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
    if not 0 <= count <= MOST_LINES:
        raise HTTPException(400, f"count must be from 0 to {MOST_LINES}")

    async def made() -> AsyncIterator[str]:
        for number in range(count):
            yield f"{number}\n"
            await asyncio.sleep(0)

    return StreamingResponse(made(), media_type="text/plain")


async def upload(request: Request) -> Response:
    """Count and digest a body while it comes."""
    size, digest = 0, hashlib.sha256()
    async for piece in request.stream():
        size += len(piece)
        digest.update(piece)
    return JSONResponse({"bytes": size, "sha256": digest.hexdigest()})


async def note(request: Request) -> Response:
    """Answer, and write the note down after that."""
    text = request.query_params.get("text", "")[:100]
    notes = request.state.notes

    async def write() -> None:
        # The latest hundred: strangers write them.
        notes[:] = [*notes[-99:], text]

    return PlainTextResponse("noted\n", 202, background=BackgroundTask(write))


async def cookies(_: Request) -> Response:
    """Set two cookies, in two headers of the same name."""
    answer = Response(status_code=204)
    answer.set_cookie("first", "1")
    answer.set_cookie("second", "2")
    return answer


async def asked(request: Request) -> Response:
    """Tell what the request was, as it came."""
    told = ["method", "path", "root_path", "http_version", "scheme"]
    found = {name: request.scope[name] for name in told}
    found["raw_path"] = request.scope["raw_path"].decode("latin1")
    found["query_string"] = request.scope["query_string"].decode("latin1")
    found["seen"] = [value for name, value in request.headers.items() if name == "x-seen"]
    return JSONResponse(found)


async def broken(_: Request) -> Response:
    """Fail."""
    raise ArithmeticError("two and two are five")


site = Starlette(
    routes=[
        Route("/", page),
        Route("/who", who),
        Route("/nap", nap),
        Route("/lines", lines),
        Route("/upload", upload, methods=["PUT", "POST"]),
        Route("/note", note),
        Route("/cookies", cookies),
        Route("/asked/{rest:path}", asked, methods=["GET", "POST", "DELETE"]),
        Route("/broken", broken),
    ],
    lifespan=lifespan,
)
