"""The backend of the peers: so cheap that it is not what is measured, or one that is.

It answers each question after `--delay` milliseconds; with `--one-at-a-time` the next question
has its turn only then. It has one selector, bare sockets and no HTTP library, since the server
that asks it needs the processor. Questions are GETs, without a body.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate

from .starting import announce, listen, options, until_stopped

# Seconds; on Windows a Ctrl-C is noticed between two waits only.
LONGEST_WAIT = 1.0
BODY = b'{"profile": "Ada Lovelace"}'
END = b"\r\n\r\n"


class Upstream:
    """A backend on a listener.

    Args:
        listener: a socket that listens, and does not block.
        delay: seconds before each answer.
        one_at_a_time: whether a question waits until the one before is answered.
    """

    def __init__(self, listener: socket.socket, delay: float, one_at_a_time: bool) -> None:
        self.listener, self.delay, self.one_at_a_time = listener, delay, one_at_a_time
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        # When to answer which question. All take equally long, so they stay in their order.
        self.due: deque[tuple[float, Connection]] = deque()
        self.free_at = 0.0
        self.second, self.bytes = 0, b""

    def serve(self) -> None:
        """Serve until it is interrupted."""
        while True:
            now = time.perf_counter()
            while self.due and self.due[0][0] <= now:
                self.due.popleft()[1].send(self.answer())
            left = max(0.0, self.due[0][0] - now) if self.due else LONGEST_WAIT
            for key, _ in self.selector.select(left):
                ready: Callable[[], None] = key.data
                ready()

    def close(self) -> None:
        """Close the listener, and all connections."""
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self.selector.close()

    def accept(self) -> None:
        """Accept all who wait for it."""
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                # There is none; or it has gone again, or there are too many.
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(sock, selectors.EVENT_READ, Connection(self, sock).ready)

    def asked(self, connection: Connection) -> None:
        """Note a question."""
        begins = time.perf_counter()
        if self.one_at_a_time:
            begins = max(begins, self.free_at)
        self.free_at = begins + self.delay
        self.due.append((self.free_at, connection))

    def answer(self) -> bytes:
        """Return the answer, with the date of this second."""
        if (second := int(time.time())) != self.second:
            self.second = second
            self.bytes = (
                "HTTP/1.1 200 OK\r\n"
                f"Date: {formatdate(second, usegmt=True)}\r\n"
                "Content-Type: application/json\r\n"
                f"Content-Length: {len(BODY)}"
            ).encode() + (END + BODY)
        return self.bytes


class Connection:
    """A connection on which somebody asks."""

    __slots__ = ("closes", "received", "sock", "upstream")

    def __init__(self, upstream: Upstream, sock: socket.socket) -> None:
        self.upstream, self.sock = upstream, sock
        self.received, self.closes = b"", False

    def ready(self) -> None:
        """Read what has come."""
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.received += data
        if self.received.endswith(END):
            # Some clients write it in small letters.
            self.closes = b"onnection: close" in self.received
            self.received = b""
            self.upstream.asked(self)

    def send(self, answer: bytes) -> None:
        """Answer, if anybody is still there."""
        if self.sock.fileno() < 0:
            return
        try:
            self.sock.send(answer)
        except OSError:
            # They have gone, or ask and ask and do not read.
            self.closes = True
        if self.closes:
            self.close()

    def close(self) -> None:
        """Close it."""
        self.upstream.selector.unregister(self.sock)
        self.sock.close()


def milliseconds(words: str) -> float:
    """Return the seconds that an option names in milliseconds.

    Raises:
        ValueError: it is no number from 0 to a minute of them.
    """
    value = float(words)
    if not 0 <= value <= 60_000:
        raise ValueError(words)
    return value / 1e3


def main() -> None:
    """Serve until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--delay", type=milliseconds, default="20", help="milliseconds")
    parser.add_argument("--one-at-a-time", action="store_true")
    given = parser.parse_args()
    listener = listen(given.port)
    announce(listener.getsockname()[1])
    upstream = Upstream(listener, given.delay, given.one_at_a_time)
    try:
        until_stopped(upstream.serve)
    finally:
        upstream.close()


if __name__ == "__main__":
    main()
