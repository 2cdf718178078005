"""A line server on Twisted and a web server on Tornado, in one process, who ask each other.

The stock, on Twisted, knows how many there are of a thing; the shop, on Tornado, what one
costs. `GET /order?of=tea` has the shop ask the stock, by a line; and before it answers, the
stock asks the shop, by HTTP. The page of the shop says where the stock is, for others too; open
it first, for the stock learns from that where the shop is::

    python -m stormy_demo.neighbours.twisted_lines --lines=8889
    nc 127.0.0.1 8889

    tea             12 tea, 3 euros each
    gold            error there is no such thing
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from ..batteries.small_bodies import SmallBodies
from ..missing import in_a_sentence
from ..program import main
from ..sentences import NotFoundHandler, SentenceHandler

with in_a_sentence(__name__):
    # First, for it says what to install where there is no Twisted.
    from .reactor import SharedReactor

    # isort: split
    from twisted.internet.defer import Deferred
    from twisted.internet.defer import TimeoutError as TooLateError
    from twisted.internet.error import ConnectError, ConnectionClosed
    from twisted.python.failure import Failure

    from .line_client import ask
    from .stock import LONGEST, StockServer

PRICES = {"tea": 3, "coffee": 5, "milk": 1}

# Seconds; the shop waits for the stock for ten.
LONGEST_DELAY = 5.0

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>A shop and its stock</title>
<h1>A shop and its stock</h1>
<p><a href="order?of=tea">Order tea</a>; or ask the stock by a line, on {0}, port {1}.</p>
</html>
"""


class Shop(SmallBodies):
    """The web server, with its stock, which listens while it runs.

    Attributes:
        stock: the line server.
        reactor: Twisted's.
    """

    reactor: SharedReactor

    def __init__(self, stock: StockServer, lines: int = 0, delay: float = 0.0) -> None:
        """See `make_app`."""
        self.stock = stock
        self.lines = lines
        self.delay = delay
        super().__init__(
            [(r"/", PageHandler), (r"/price", PriceHandler), (r"/order", OrderHandler)],
            default_handler_class=NotFoundHandler,
            default_handler_args={"there_is": "/, /price?of=tea and /order?of=tea"},
            while_running=self.with_its_stock,
        )

    @contextmanager
    def with_its_stock(self) -> Iterator[None]:
        """Run the line server."""
        with self.stock.listening(self.lines) as self.reactor:
            yield

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Tell the stock where the shop is: where it was found."""
        stream = cast(Any, request.connection).stream
        if not stream.closed():
            host, port, *_ = stream.socket.getsockname()
            self.stock.shop = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return super().find_handler(request, **kwargs)


class ShopHandler(SentenceHandler):
    """A handler of the shop."""

    application: Shop

    def thing(self) -> bytes:
        """Return what is asked for, as a line says it.

        Raises:
            HTTPError: a 400, it is not said, or a line cannot say it.
        """
        thing = self.only_argument("of", "").encode()
        if not thing or b"\n" in thing or len(thing) > LONGEST:
            raise HTTPError(400, f"of must be a name, in one line of {LONGEST} bytes at most")
        return thing


class PageHandler(ShopHandler):
    """Shows the way."""

    def get(self) -> None:
        """Answer with a page."""
        self.write(PAGE.format(*self.application.stock.place))


class PriceHandler(ShopHandler):
    """Tells what one costs."""

    async def get(self) -> None:
        """Answer with a number of euros."""
        await asyncio.sleep(self.application.delay)
        if (thing := self.thing().decode()) not in PRICES:
            raise HTTPError(404, "There is no such thing.")
        self.write({"euros": PRICES[thing]})


class OrderHandler(ShopHandler):
    """Asks the stock."""

    async def get(self) -> None:
        """Answer with its line."""
        answer = self.ask_stock(self.thing())
        line = await answer.asFuture(asyncio.get_running_loop())
        self.write({"stock": line.decode(errors="replace")})

    def ask_stock(self, line: bytes) -> Deferred[bytes]:
        """Send a line to the stock."""
        shop = self.application
        return ask(shop.reactor, shop.stock.place, line).addErrback(_no_answer)


def _no_answer(failure: Failure) -> NoReturn:
    failure.trap(ConnectError, ConnectionClosed, TooLateError)
    raise HTTPError(502, "The stock does not answer.")


def make_app(lines: int = 0, delay: float = 0.0) -> Shop:
    """Make the application, with its line server.

    Args:
        lines: the port of the line server; 0 lets the system pick.
        delay: seconds that it takes to find a price.

    Raises:
        ValueError: an argument is not what it should be.
    """
    if not 0 <= lines <= 65535:
        raise ValueError(f"lines must be a port, from 0 to 65535, not {lines}")
    if not 0 <= delay <= LONGEST_DELAY:
        raise ValueError(f"delay must be from 0 to {LONGEST_DELAY:g} seconds, not {delay}")
    return Shop(StockServer(), lines, delay)


if __name__ == "__main__":
    sys.exit(main(make_app))
