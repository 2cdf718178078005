"""The world around a server under test: the upstream that it asks, and its visitors.

Both are in one process, on one selector, and without an HTTP library. They have to cost little:
the server needs a processor to itself, and some machines have no more than two. To watch one
server alone, for a profile, start it with `python -m benchmarks._clients.servers`, and then

    python -m benchmarks._clients.world --upstream 8901 --server 8902 --delay 50 --at-once 200
"""

from __future__ import annotations

import argparse
import contextlib
import re
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from .._shared import LOCALHOST
from .._shared.command import one_or_more
from .body import BODY

# The end of a whole answer: of its headers, and all of its body.
END = b"\r\n\r\n" + BODY
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: visitor\r\nAccept: */*\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

# Seconds, at least and at most. Counting begins when each visitor has had an answer: by then
# all connections are open, and the waits have their true length. A slow server may need longer
# than the most, and is counted all the same.
WARM_UP = (0.3, 3.5)
# Seconds that a visitor waits for a connection, and at the end for the last answer.
ANSWER_TIMEOUT = 20.0
# Some servers answer all visitors at nearly the same time, in waves. So that no part of a wave
# is counted, counting goes on to the end of one, up to this many times the seconds asked for.
WAVE_FACTOR = 2.0


class WrongAnswer(Exception):
    """A visitor got another answer than the upstream gave, or none."""


@dataclass
class Visit:
    """What was seen of a server while it was visited.

    Attributes:
        answers: how many were counted.
        seconds: for how long they were counted.
        waits: how many seconds each of them took.
        newcomers: the share of the visitors who had no answer yet when counting began. If there
            are many, the longest waits are missing.
        server_cpu: seconds of processor time that the server used meanwhile.
        world_cpu: those that the upstream and the visitors used.
    """

    answers: int
    seconds: float
    waits: list[float]
    newcomers: float
    server_cpu: float
    world_cpu: float

    def wait(self, part: float) -> float | None:
        """Return within how many milliseconds this part of the answers had come.

        Args:
            part: from 0 to 1, so that 0.5 gives the median.

        Returns:
            None if the longest waits are missing.
        """
        if self.newcomers > 0.01 or not self.waits:
            return None
        return sorted(self.waits)[int(part * (len(self.waits) - 1))] * 1e3


class World:
    """An upstream, and the visitors of the server that asks it."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server((LOCALHOST, port), backlog=4096)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.port: int = self.listener.getsockname()[1]
        self.tls_port = self.listen_with(tls) if tls else 0
        # Of the upstream's body; the end of a longer one is the short one.
        self.size = 0
        self.delay = 0.0
        # When to answer which request. The delay is the same for all, so the order is that in
        # which they came.
        self.due: deque[tuple[float, UpstreamConnection]] = deque()
        self.answer_made = (0, 0)
        self.answer_bytes = b""
        self.visitors_ask_again = False
        self.waits: list[float] = []
        self.unanswered: set[Visitor] = set()
        self.wrong_answer = ""

    def accept(self) -> None:
        """Accept all connections that wait for the upstream."""
        while True:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.watch(sock, UpstreamConnection(self, sock).read)

    def listen_with(self, tls: ssl.SSLContext) -> int:
        """Listen with TLS too, and return the port."""
        listener = socket.create_server((LOCALHOST, 0), backlog=4096)
        listener.setblocking(False)

        def accept() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    plain, _ = listener.accept()
                    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    plain.setblocking(False)
                    # Reading shakes hands, as much of it as can be done at once.
                    sock = tls.wrap_socket(
                        plain, server_side=True, do_handshake_on_connect=False
                    )
                    self.watch(sock, UpstreamConnection(self, sock).read)

        self.selector.register(listener, selectors.EVENT_READ, accept)
        port: int = listener.getsockname()[1]
        return port

    def watch(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        """Call `ready` whenever something has come on a socket."""
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, ready)

    def drop(self, sock: socket.socket) -> None:
        """Close a connection."""
        self.selector.unregister(sock)
        sock.close()

    def answer(self) -> bytes:
        """Return the upstream's answer, with the date of this second."""
        now = int(time.time())
        if (now, self.size) != self.answer_made:
            self.answer_made = now, self.size
            body = BODY.rjust(self.size)
            self.answer_bytes = (
                "HTTP/1.1 200 OK\r\n"
                "Server: upstream\r\n"
                f"Date: {formatdate(now, usegmt=True)}\r\n"
                "Content-Type: application/json; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\n"
                "Cache-Control: no-cache\r\n"
                "Vary: Accept-Encoding\r\n"
                "X-Request-Id: 7f3d0c52\r\n"
                "\r\n"
            ).encode() + body
        return self.answer_bytes

    def run(self, enough: Callable[[], bool], seconds: float) -> None:
        """Serve upstream and visitors until `enough` says so, or that many seconds are over."""
        due, select = self.due, self.selector.select
        until = time.perf_counter() + seconds
        while (now := time.perf_counter()) < until and not enough():
            while due and due[0][0] <= now:
                due.popleft()[1].answer()
            for key, _ in select((min(due[0][0], until) if due else until) - now):
                key.data()
            if self.wrong_answer:
                raise WrongAnswer(self.wrong_answer)

    def visit(
        self,
        port: int,
        delay: float,
        at_once: int,
        seconds: float,
        server_cpu: Callable[[], float] = time.process_time,
        most: int = 5000,
    ) -> Visit:
        """Let visitors come, each of whom asks again as soon as there is an answer.

        Args:
            port: where the server is.
            delay: how many seconds the upstream takes.
            at_once: how many visitors there are.
            seconds: how long the answers are counted.
            server_cpu: returns the seconds of processor time that the server has used.
            most: after how many answers counting ends, if they come sooner.

        Raises:
            WrongAnswer: a visitor got another answer than the upstream gave, or none.
        """
        self.delay, self.visitors_ask_again, self.wrong_answer = delay, True, ""
        visitors = [Visitor(self, port) for _ in range(at_once)]
        self.unanswered = new = set(visitors)
        for visitor in visitors:
            visitor.ask()
        try:
            self.run(lambda: False, WARM_UP[0])
            self.run(lambda: not new, WARM_UP[1] - WARM_UP[0])
            newcomers = len(new) / at_once
            waits = self.waits = []
            server, world, start = server_cpu(), time.process_time(), time.perf_counter()
            self.run(lambda: len(waits) >= most, seconds)
            waves = -(-len(waits) // at_once)
            self.run(
                lambda: len(waits) >= min(waves * at_once, most), seconds * (WAVE_FACTOR - 1)
            )
            elapsed, world = time.perf_counter() - start, time.process_time() - world
            server = server_cpu() - server
            self.waits = []
            # A server that still worked for these would slow down the next one.
            self.delay, self.visitors_ask_again = 0.0, False
            waiting = [visitor for visitor in visitors if visitor.waiting]
            self.unanswered = set(waiting)
            self.run(lambda: not self.unanswered, ANSWER_TIMEOUT)
            if self.unanswered:
                raise WrongAnswer(f"{len(self.unanswered)} visitors got no answer")
        finally:
            for visitor in visitors:
                self.drop(visitor.sock)
        return Visit(len(waits), elapsed, waits, newcomers, server, world)


class UpstreamConnection:
    """A connection on which the server under test asks the upstream."""

    __slots__ = ("close_after", "left", "received", "sock", "world")

    def __init__(self, world: World, sock: socket.socket) -> None:
        self.world, self.sock = world, sock
        self.received = b""
        self.left = memoryview(b"")
        self.close_after = False

    def read(self) -> None:
        """Read a request, and answer it when it is due; each is a GET, and has no body."""
        try:
            data = self.sock.recv(65536)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            data = b""
        if not data:
            self.world.drop(self.sock)
            return
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            # Some clients write it in small letters.
            self.close_after = b"onnection: close" in self.received
            self.received = b""
            if self.world.delay:
                self.world.due.append((time.perf_counter() + self.world.delay, self))
            else:
                self.answer()

    def answer(self) -> None:
        """Answer, and close the connection if the request asked for that."""
        if self.sock.fileno() < 0:
            # The server closed the connection before its answer was due.
            return
        self.left = memoryview(self.world.answer())
        self.send()

    def send(self) -> None:
        """Send what is left of an answer, as much as fits; the rest when there is room."""
        try:
            while self.left:
                self.left = self.left[self.sock.send(self.left) :]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self.world.selector.modify(self.sock, selectors.EVENT_WRITE, self.send)
            return
        except OSError:
            self.close_after = True
        if self.close_after:
            self.world.drop(self.sock)
        elif self.world.selector.get_key(self.sock).events != selectors.EVENT_READ:
            self.world.selector.modify(self.sock, selectors.EVENT_READ, self.read)


class Visitor:
    """A visitor of the server under test, with a connection that is kept."""

    __slots__ = ("asked", "received", "sock", "waiting", "world")

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.received = b""
        self.asked = 0.0
        self.waiting = False
        self.sock = socket.create_connection((LOCALHOST, port), timeout=ANSWER_TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        world.watch(self.sock, self.ready)

    def ask(self) -> None:
        """Ask the server."""
        self.asked = time.perf_counter()
        self.waiting = True
        self.sock.send(REQUEST)

    def ready(self) -> None:
        """Read what has come; after a whole answer ask again."""
        world = self.world
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if self.received:
            data = self.received + data
        if not (data.startswith(b"HTTP/1.1 200 ") and data.endswith(END)):
            if _is_incomplete(data, self.received):
                self.received = data
            else:
                world.wrong_answer = f"a visitor was told {data[:300]!r}"
            return
        world.waits.append(time.perf_counter() - self.asked)
        world.unanswered.discard(self)
        self.received = b""
        self.waiting = False
        if world.visitors_ask_again:
            self.ask()


def _is_incomplete(data: bytes, before: bytes) -> bool:
    """Return whether what was received, before and now together, lacks the end of an answer."""
    if data == before:
        # Nothing came, so the server has closed the connection.
        return False
    head, end, body = data.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return not end or (length is not None and len(body) < int(length[1]))


def main() -> None:
    """Visit one server, and say how fast it is."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks._clients.world",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--upstream", type=int, required=True, help="the port to answer on")
    parser.add_argument("--server", type=int, required=True, help="the port to visit")
    parser.add_argument("--delay", type=float, default=50, help="of the upstream, in ms")
    parser.add_argument("--at-once", type=one_or_more, default=200, help="how many visitors")
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    seen = World(given.upstream).visit(
        given.server, given.delay / 1e3, given.at_once, given.seconds, most=10**9
    )
    print(
        f"{seen.answers / seen.seconds:.0f} requests/s, half within {seen.wait(0.5)} ms;"
        f" the world was busy {seen.world_cpu / seen.seconds:.0%} of the time"
    )


if __name__ == "__main__":
    main()
