"""A line server on Twisted, which knows how many there are, and asks a shop what one costs.

Who sends the name of a thing is answered by a line, when the shop has told the price by HTTP::

    tea             12 tea, 3 euros each
    gold            error there is no such thing

A client's lines are answered one after another, and what it does not read is not piled up.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

# First, for it says what to install where there is no Twisted.
from .reactor import SharedReactor, shared_reactor

# isort: split
import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from loopfilm import LOCALHOST, CannotListen, lane

NUMBERS = {"tea": 12, "coffee": 0, "milk": 7}

# Bytes of a line that asks, without its end.
LONGEST = 64

# Lines that wait for the shop at once.
MOST = 1000


class NoAnswerError(Exception):
    """A line cannot be answered; the message says why."""


@implementer(IHalfCloseableProtocol)
class Stock(LineReceiver, TimeoutMixin):
    """Speaks with one client of the line server."""

    transport: Any
    delimiter = b"\n"
    MAX_LENGTH = LONGEST

    def __init__(self, server: StockServer) -> None:
        """Belong to a server."""
        self.server = server
        self.is_asking = self.is_full = False

    def lineReceived(self, line: bytes) -> None:
        """Ask the shop for the price, and answer when it has come."""
        self.hold()
        price = asyncio.create_task(self.server.price(line))
        asked = Deferred.fromFuture(price)
        asked.addCallback(self.answer)
        asked.addErrback(self.complain)
        asked.addCallback(self.next)
        asked.addErrback(self.give_up)

    def answer(self, found: tuple[str, int]) -> None:
        """Send the line that answers."""
        thing, euros = found
        self.sendLine(f"{NUMBERS[thing]} {thing}, {euros} euros each".encode())

    def complain(self, failure: Failure) -> None:
        """Say why there is no answer."""
        failure.trap(NoAnswerError)
        self.sendLine(f"error {failure.value}".encode())

    def give_up(self, failure: Failure) -> None:
        """Leave after a mistake of our own, since a client counts its answers."""
        if not failure.check(asyncio.CancelledError):
            self.sendLine(b"error something went wrong in here")
            Logger().failure("A line was not answered", failure)
        # The timer would ask for a reactor, where one who is gone has none any more.
        if self in self.server.clients:
            self.setTimeout(self.server.patience)
            self.transport.loseConnection()

    # -- one line after another ----------------------------------------------------------------

    def connectionMade(self) -> None:
        """Begin."""
        # So the transport says when a client does not read its answers, by `pauseProducing`.
        self.transport.registerProducer(self, True)
        self.server.clients.add(self)
        self.setTimeout(self.server.patience)

    def hold(self) -> None:
        """Read no other line until `next`."""
        self.is_asking = True
        # It waits for us now.
        self.setTimeout(None)
        LineReceiver.pauseProducing(self)

    def next(self, _: object) -> None:
        """Read on."""
        self.is_asking = False
        self._read_on()

    def pauseProducing(self) -> None:
        """Read nothing; the transport calls it, when it has much to send."""
        self.is_full = True
        LineReceiver.pauseProducing(self)

    def resumeProducing(self) -> None:
        """Read on; the transport calls it, when that is sent."""
        self.is_full = False
        self._read_on()

    def _read_on(self) -> None:
        if self.is_asking or self not in self.server.clients:
            return
        self.setTimeout(self.server.patience)
        if not self.is_full:
            LineReceiver.resumeProducing(self)

    def readConnectionLost(self) -> None:
        """Leave when all is sent, since the client has no more to say."""
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Leave."""
        self.transport.loseConnection()

    def timeoutConnection(self) -> None:
        """Leave, also where a client does not read."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client."""
        self.setTimeout(None)
        self.server.clients.discard(self)


class StockServer(ServerFactory):
    """The line server.

    Attributes:
        shop: the address of the shop; empty until somebody has come to it.
        place: where the line server listens.
        clients: those who are connected.
    """

    client: AsyncHTTPClient

    noisy = False
    protocol: Any = Stock

    def __init__(self, patience: float = 60.0) -> None:
        """Begin without clients.

        Args:
            patience: leave a client who sends no line, or does not read, for so many seconds.
        """
        self.patience = patience
        self.shop = ""
        self.place = ("", 0)
        self.clients: set[Stock] = set()

    def buildProtocol(self, addr: IAddress | None) -> Stock:
        """Make what speaks with a client."""
        client: Stock = self.protocol(self)
        return client

    async def price(self, line: bytes) -> tuple[str, int]:
        """Ask the shop what a thing costs.

        Args:
            line: its name, as it came.

        Returns:
            Its name, and how many euros.

        Raises:
            NoAnswerError: there is no such thing, or the shop does not answer.
        """
        try:
            thing = line.decode().strip()
        except UnicodeDecodeError:
            raise NoAnswerError("this is not UTF-8") from None
        if thing not in NUMBERS:
            raise NoAnswerError("there is no such thing")
        if not self.shop:
            raise NoAnswerError("the shop has not opened: somebody has to come first")
        try:
            response = await self.client.fetch(f"{self.shop}/price?of={thing}")
            euros = json_decode(response.body)["euros"]
            if type(euros) is not int or not 0 <= euros < 10**9:
                raise NoAnswerError("the shop does not answer")
            return thing, euros
        except HTTPClientError as error:
            if error.code == 404:
                raise NoAnswerError("this is not for sale") from None
            raise NoAnswerError("the shop does not answer") from None
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            raise NoAnswerError("the shop does not answer") from None

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[SharedReactor]:
        """Run Twisted, and listen, on the current loop.

        Args:
            port: where; 0 lets the system pick.

        Yields:
            The reactor.

        Raises:
            CannotListen: the port is taken.
        """
        # Its own, with a place for each line: else those who wait for the stock would fill all
        # places, and the stock wait for one.
        self.client = AsyncHTTPClient(force_instance=True, max_clients=MOST)
        with closing(self.client), shared_reactor() as reactor:
            try:
                with lane("stock"):
                    listener = reactor.listenTCP(port, self, interface=LOCALHOST)
            except CannotListenError as error:
                number, why = error.socketError.errno, error.socketError.strerror
                raise CannotListen(number, why, f"{LOCALHOST}, port {port}") from None
            self.place = (LOCALHOST, listener.getHost().port)
            yield reactor
