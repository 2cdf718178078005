"""aiohttp, server and client, on asyncio's loop; its parser of HTTP is compiled."""

from __future__ import annotations

import asyncio

from ..agreed import BackendError
from . import answers
from .asking import aiohttp as aiohttp_client
from .starting import BACKLOG, announce, listen, need, options, told_to_stop


async def serve(port: int, upstream: str) -> None:
    """Serve until the program is told to stop."""
    from aiohttp import web

    url = upstream + answers.QUESTION
    async with aiohttp_client() as ask:

        async def hello(_: web.Request) -> web.Response:
            return web.Response(body=answers.HELLO, headers=text)

        async def report(_: web.Request) -> web.Response:
            return web.Response(body=answers.report(), headers=json)

        async def resource(_: web.Request) -> web.Response:
            try:
                return web.Response(body=answers.resource(await ask(url)), headers=json)
            except BackendError as fault:
                return web.Response(body=str(fault), headers=text, status=fault.status)

        text, json = {"Content-Type": answers.TEXT}, {"Content-Type": answers.JSON}
        app = web.Application()
        app.add_routes(
            [web.get("/", hello), web.get("/report", report), web.get("/resource", resource)]
        )
        # At the end it would give a minute to those whose answer is not there yet.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        listener = listen(port)
        try:
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
            announce(listener.getsockname()[1])
            await told_to_stop()
        finally:
            await runner.cleanup()


def main() -> None:
    """Serve until Ctrl-C."""
    given = options(__doc__).parse_args()
    need("aiohttp")
    asyncio.run(serve(given.port, given.upstream))


if __name__ == "__main__":
    main()
