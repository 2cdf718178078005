"""aiohttp, server and client, on asyncio's loop; its parser of HTTP is compiled."""

from __future__ import annotations

import asyncio

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
            return web.Response(body=answers.resource(await ask(url)), headers=json)

        text, json = {"Content-Type": answers.TEXT}, {"Content-Type": answers.JSON}
        app = web.Application()
        app.add_routes(
            [web.get("/", hello), web.get("/report", report), web.get("/resource", resource)]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        listener = listen(port)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        announce(listener.getsockname()[1])
        await told_to_stop()


def main() -> None:
    """Serve until Ctrl-C."""
    given = options(__doc__).parse_args()
    need("aiohttp")
    asyncio.run(serve(given.port, given.upstream))


if __name__ == "__main__":
    main()
