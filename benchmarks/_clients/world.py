"""What is around a server under test: the upstream that it asks, and the visitors.

Both are in one process, on one selector, and without an HTTP library: they may cost little, for
the server needs a processor to itself, and some machines have two. To watch one server alone,
for a profile, start it with `_servers.py`, and then

    python benchmarks/_world.py --upstream 8901 --server 8902 --delay 50 --at-once 200
"""

from __future__ import annotations

import argparse
import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

HERE = "127.0.0.1"
BODY = b'{"weather": "stormy", "wind": {"from": "north-west", "knots": 48}, "warm": false}'
END = b"\r\n\r\n" + BODY
QUESTION = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: visitor\r\nAccept: */*\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

# Seconds. Before anything is counted, everybody has been answered once, so that all connections
# are there and the waits have their true length; with a slow server that takes too long.
WARM_UP = (0.3, 3.5)
PATIENCE = 20.0
# Some servers answer in waves. Counting ends with a wave if that does not take this many times
# as long.
LONGER = 2.0


class WrongAnswer(Exception):
    """A visitor was told something else than what the upstream said, or nothing."""


@dataclass
class Visit:
    """What was seen of a server while it was visited."""

    answers: int
    seconds: float
    waits: list[float]
    # Who had not been answered before counting began; those who wait longest are not in the
    # waits, if there are many of them.
    newcomers: float
    server_cpu: float
    world_cpu: float

    def wait(self, part: float) -> float | None:
        """Return within how many milliseconds this part of the answers had come."""
        if self.newcomers > 0.01 or not self.waits:
            return None
        return sorted(self.waits)[int(part * (len(self.waits) - 1))] * 1e3


class World:
    """An upstream, and the visitors of the server that asks it."""

    def __init__(self, port: int = 0) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server((HERE, port), backlog=4096)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.port: int = self.listener.getsockname()[1]
        self.delay = 0.0
        # All wait equally long, so the first to come is the first to be answered.
        self.due: deque[tuple[float, Asker]] = deque()
        self.said_at = 0
        self.said = b""
        self.again = False
        self.waits: list[float] = []
        self.unanswered: set[Visitor] = set()
        self.complaint = ""

    def accept(self) -> None:
        """Let in everybody who is at the upstream's door."""
        while True:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.watch(sock, Asker(self, sock).ready)

    def watch(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        """Call `ready` whenever something has come."""
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, ready)

    def drop(self, sock: socket.socket) -> None:
        """Hang up."""
        self.selector.unregister(sock)
        sock.close()

    def answer(self) -> bytes:
        """Return what the upstream says."""
        now = int(time.time())
        if now != self.said_at:
            self.said_at = now
            self.said = (
                "HTTP/1.1 200 OK\r\n"
                "Server: upstream\r\n"
                f"Date: {formatdate(now, usegmt=True)}\r\n"
                "Content-Type: application/json; charset=utf-8\r\n"
                f"Content-Length: {len(BODY)}\r\n"
                "Cache-Control: no-cache\r\n"
                "Vary: Accept-Encoding\r\n"
                "X-Request-Id: 7f3d0c52\r\n"
            ).encode()[:-2] + END
        return self.said

    def run(self, enough: Callable[[], bool], seconds: float) -> None:
        """Go on until it is enough, or that many seconds are over."""
        due, select = self.due, self.selector.select
        until = time.perf_counter() + seconds
        while (now := time.perf_counter()) < until and not enough():
            while due and due[0][0] <= now:
                due.popleft()[1].answer()
            for key, _ in select((min(due[0][0], until) if due else until) - now):
                key.data()
            if self.complaint:
                raise WrongAnswer(self.complaint)

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
            server_cpu: what tells the seconds of processor time that the server has used.
            most: how many answers are enough, should they come sooner.

        Raises:
            WrongAnswer: one of them was told something else, or nothing.
        """
        self.delay, self.again, self.complaint = delay, True, ""
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
            self.run(lambda: len(waits) >= min(waves * at_once, most), seconds * (LONGER - 1))
            elapsed, world = time.perf_counter() - start, time.process_time() - world
            server = server_cpu() - server
            self.waits = []
            # All get their answer, or the next server would be measured beside this one.
            self.delay, self.again = 0.0, False
            waiting = [visitor for visitor in visitors if visitor.waits]
            self.unanswered = set(waiting)
            self.run(lambda: not self.unanswered, PATIENCE)
            if self.unanswered:
                raise WrongAnswer(f"{len(self.unanswered)} visitors got no answer")
        finally:
            for visitor in visitors:
                self.drop(visitor.sock)
        return Visit(len(waits), elapsed, waits, newcomers, server, world)


class Asker:
    """A connection on which the upstream is asked."""

    __slots__ = ("closes", "got", "sock", "world")

    def __init__(self, world: World, sock: socket.socket) -> None:
        self.world, self.sock = world, sock
        self.got = b""
        self.closes = False

    def ready(self) -> None:
        """Read the question; all of them are a GET, and have no body."""
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.world.drop(self.sock)
            return
        self.got += data
        if self.got.endswith(b"\r\n\r\n"):
            self.closes = b"onnection: close" in self.got
            self.got = b""
            if self.world.delay:
                self.world.due.append((time.perf_counter() + self.world.delay, self))
            else:
                self.answer()

    def answer(self) -> None:
        """Answer, and hang up if that is wanted."""
        if self.sock.fileno() < 0:
            return
        try:
            self.sock.send(self.world.answer())
        except ConnectionError:
            self.closes = True
        if self.closes:
            self.world.drop(self.sock)


class Visitor:
    """A visitor, with a connection that is kept."""

    __slots__ = ("asked", "got", "sock", "waits", "world")

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.got = b""
        self.asked = 0.0
        self.waits = False
        self.sock = socket.create_connection((HERE, port), timeout=PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        world.watch(self.sock, self.ready)

    def ask(self) -> None:
        """Ask the server."""
        self.asked = time.perf_counter()
        self.waits = True
        self.sock.send(QUESTION)

    def ready(self) -> None:
        """Read the answer; ask again."""
        world = self.world
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if self.got:
            data = self.got + data
        if not (data.startswith(b"HTTP/1.1 200 ") and data.endswith(END)):
            if _goes_on(data, self.got):
                self.got = data
            else:
                world.complaint = f"a visitor was told {data[:300]!r}"
            return
        world.waits.append(time.perf_counter() - self.asked)
        world.unanswered.discard(self)
        self.got = b""
        self.waits = False
        if world.again:
            self.ask()


def _goes_on(data: bytes, before: bytes) -> bool:
    """Return whether there is more of an answer to come."""
    if data == before:
        return False
    head, end, body = data.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return not end or (length is not None and len(body) < int(length[1]))


def main() -> None:
    """Visit one server, and say how fast it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", type=int, required=True, help="the port to answer on")
    parser.add_argument("--server", type=int, required=True, help="the port to visit")
    parser.add_argument("--delay", type=float, default=50, help="of the upstream, in ms")
    parser.add_argument("--at-once", type=int, default=200, help="how many visitors")
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
