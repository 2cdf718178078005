"""A client of a line server, on Twisted: it sends a line, and a Deferred has the answer."""

# mypy: allow-untyped-calls
from __future__ import annotations

# First, for it says what to install where there is no Twisted.
from .reactor import SharedReactor

# isort: split
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IConnector
from twisted.internet.protocol import ClientFactory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

# Bytes of an answer, without its end.
LONGEST = 100


def ask(
    reactor: SharedReactor, place: tuple[str, int], line: bytes, patience: float = 10.0
) -> Deferred[bytes]:
    """Send a line to a line server.

    Args:
        reactor: the reactor, which is running.
        place: where the server is: an IP address, and a port.
        line: what to send, without its end.
        patience: give up after so many seconds.

    Returns:
        A Deferred for the line that comes back, without its end. It fails with a `ConnectError`
        when nobody listens there, with a `ConnectionClosed` when the server leaves, or sends
        more than `LONGEST` bytes without an end, and with the `TimeoutError` of
        `twisted.internet.defer` when it takes too long. To cancel it closes the connection.

    Raises:
        ValueError: the line is several.
    """
    if b"\n" in line:
        raise ValueError(f"one line can be sent, and not {line!r}")
    asking = _Asking(line)
    # One clock is enough: that of the Deferred also ends the attempt to connect.
    connector = cast(Any, reactor).connectTCP(*place, asking, timeout=None)
    asking.answer = Deferred(lambda _: asking.leave(connector))
    return asking.answer.addTimeout(patience, cast(Any, reactor))


class _Asking(ClientFactory):
    """Makes the connection for one question."""

    noisy = False

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.is_left = False
        self.answer: Deferred[bytes] = Deferred()

    def buildProtocol(self, addr: IAddress | None) -> _Asks:
        return _Asks(self)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        self.is_answered(reason)

    def is_answered(self, answer: bytes | Failure) -> None:
        if not self.answer.called and not self.is_left:
            self.answer.callback(answer)

    def leave(self, connector: Any) -> None:
        # A connector says at once that it was left, which is no answer.
        self.is_left = True
        connector.disconnect()


class _Asks(LineReceiver):
    """Sends a line, and waits for one."""

    transport: Any
    delimiter = b"\n"
    MAX_LENGTH = LONGEST

    def __init__(self, asking: _Asking) -> None:
        self.asking = asking

    def connectionMade(self) -> None:
        self.sendLine(self.asking.line)

    def lineReceived(self, line: bytes) -> None:
        self.asking.is_answered(line)
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.asking.is_answered(reason)
