"""Names: a server that looks one up for each visitor, and holds nobody up.

`GET /look-up?name=slow.example` answers with its addresses. As a program it has a DNS server
of its own, on this machine, which knows `ada.example` and, after a while, `slow.example`.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tornado.netutil import Resolver
from tornado.web import Application, HTTPError

from loopfilm import LOCALHOST

from ..batteries.small_bodies import SmallBodies
from ..missing import in_a_sentence
from ..program import main
from ..sentences import NotFoundHandler, SentenceHandler

with in_a_sentence(__name__):
    from .resolver import DnsResolver

LONGEST_DELAY = 60.0
# Seconds for what else an answer takes, on a busy machine.
SPARE = 30.0


class LookUpHandler(SentenceHandler):
    """Looks a name up."""

    async def get(self) -> None:
        """Answer with the addresses of a name."""
        name = self.only_argument("name", "")
        if not name:
            raise HTTPError(400, "name is missing")
        resolver: Resolver = self.settings["resolver"]
        try:
            found = await resolver.resolve(name, 0)
        except socket.gaierror as error:
            status = 404 if error.errno == socket.EAI_NONAME else 504
            raise HTTPError(status, error.strerror) from None
        self.write({"name": name, "addresses": [place[0] for _, place in found]})


def names_app(resolver: Resolver | None = None) -> Application:
    """Make the application.

    Args:
        resolver: who looks the names up; it can also be put into the settings later.
    """
    return SmallBodies(
        [(r"/look-up", LookUpHandler)],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/look-up?name=slow.example"},
        resolver=resolver,
    )


def make_app(delay: float = 0.5) -> Application:
    """Make the application for the command line, with the DNS server that it asks.

    Args:
        delay: seconds that an answer about slow.example takes.

    Raises:
        ValueError: the delay is not what it should be, or a part is missing.
    """
    # Not before: who has a resolver needs no DNS server.
    try:
        from .counterparts import slow_dns
    except ImportError as error:
        raise ValueError(str(error)) from None
    if not 0 <= delay <= LONGEST_DELAY:
        raise ValueError(f"delay must be from 0 to {LONGEST_DELAY:g} seconds, not {delay}")
    app = names_app()

    @contextmanager
    def beside_dns() -> Iterator[None]:
        addresses = {"ada.example": [LOCALHOST], "slow.example": [LOCALHOST]}
        with slow_dns.serving(addresses, {"slow.example": delay}) as server:
            # Each of its two tries has to outlast the delay.
            patience = 2 * (delay + SPARE)
            app.settings["resolver"] = DnsResolver(*server.place, patience=patience)
            yield

    app.settings["while_running"] = beside_dns
    return app


if __name__ == "__main__":
    sys.exit(main(make_app))
