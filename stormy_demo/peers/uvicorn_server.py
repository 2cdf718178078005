"""Starlette on uvicorn: which loop and which parser of HTTP, the options say."""

from __future__ import annotations

from .asking import CLIENTS, NEEDS
from .starting import announce, listen, need, options, until_stopped


def main() -> None:
    """Serve until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument(
        "--loop", choices=["uvloop", "asyncio"], default="uvloop", help="uvloop is compiled"
    )
    parser.add_argument(
        "--http", choices=["httptools", "h11"], default="httptools", help="h11 is in Python"
    )
    parser.add_argument("--client", choices=CLIENTS, default="httpx", help="which one asks")
    given = parser.parse_args()
    need("uvicorn", "starlette", given.loop, given.http, *NEEDS.get(given.client, []))
    import uvicorn

    from .starlette_app import make_app

    config = uvicorn.Config(
        make_app(given.upstream, given.client),
        loop=given.loop,
        http=given.http,
        log_level="error",
        access_log=False,
    )
    listener = listen(given.port)
    # It listens already: who comes before uvicorn does waits in the backlog.
    announce(listener.getsockname()[1])
    until_stopped(lambda: uvicorn.Server(config).run(sockets=[listener]))


if __name__ == "__main__":
    main()
