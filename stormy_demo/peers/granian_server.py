"""Starlette on Granian, which is written in Rust: ASGI, one worker, one thread of its runtime.

The worker is a process, and the program that starts it is another, which waits.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

from loopfilm import LOCALHOST

from .asking import CLIENTS, NEEDS
from .starting import BACKLOG, announce, listen, need, options, until_stopped

# What the worker is told, since it imports this module anew.
UPSTREAM, CLIENT = "STORMY_PEERS_UPSTREAM", "STORMY_PEERS_CLIENT"


def make_app() -> Any:
    """Make the application, in the worker."""
    from .starlette_app import make_app

    return make_app(os.environ[UPSTREAM], os.environ[CLIENT])


def announce_when(port: int) -> None:
    """Say where it listens, once somebody is let in."""
    while True:
        with socket.socket() as visitor:
            if visitor.connect_ex((LOCALHOST, port)) == 0:
                announce(port)
                return
        time.sleep(0.02)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    parser.add_argument("--client", choices=CLIENTS, default="httpx", help="which one asks")
    given = parser.parse_args()
    need("granian", "starlette", given.loop, *NEEDS.get(given.client, []))
    from granian import Granian
    from granian.constants import Interfaces, Loops

    os.environ.update({UPSTREAM: given.upstream, CLIENT: given.client})
    # Granian opens its own socket, and does not say which port the system has picked.
    with listen(given.port) as listener:
        port = listener.getsockname()[1]
    server = Granian(
        "stormy_demo.peers.granian_server:make_app",
        factory=True,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        runtime_threads=1,
        loop=Loops(given.loop),
        backlog=BACKLOG,
        log_enabled=False,
        # With Ctrl-C its worker is told twice, and stands still for ever one time in thirty.
        workers_kill_timeout=5,
    )
    # Granian says that it has started before its worker listens.
    server.on_startup(
        lambda: threading.Thread(target=announce_when, args=[port], daemon=True).start()
    )
    until_stopped(server.serve)


if __name__ == "__main__":
    main()
