"""An application of Starlette's, for whichever server speaks ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..agreed import BackendError
from . import answers
from .asking import CLIENTS


def make_app(upstream: str, client: str) -> Starlette:
    """Make an application that says hello, works, and asks.

    Args:
        upstream: the address of the backend.
        client: which client asks it, one of `CLIENTS`.
    """
    url = upstream + answers.QUESTION

    @asynccontextmanager
    async def with_client(app: Starlette) -> AsyncIterator[None]:
        async with CLIENTS[client]() as app.state.ask:
            yield

    async def hello(_: Request) -> Response:
        return Response(answers.HELLO, media_type=answers.TEXT)

    async def report(_: Request) -> Response:
        return Response(answers.report(), media_type=answers.JSON)

    async def resource(request: Request) -> Response:
        said = await request.app.state.ask(url)
        return Response(answers.resource(said), media_type=answers.JSON)

    async def failed(_: Request, fault: Exception) -> Response:
        assert isinstance(fault, BackendError)
        return Response(str(fault), fault.status, media_type=answers.TEXT)

    routes = [Route("/", hello), Route("/report", report), Route("/resource", resource)]
    return Starlette(
        routes=routes, lifespan=with_client, exception_handlers={BackendError: failed}
    )
