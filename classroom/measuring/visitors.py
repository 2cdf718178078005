"""A client that asks a server again and again, where there is no wrk: what `load` starts.

It is one process with one selector and bare sockets, since it has to cost less than the server.
It understands answers with a Content-Length, and those in chunks.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import selectors
import socket
import time
from urllib.parse import urlsplit

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ANSWER_TIMEOUT = 20.0  # seconds


class Visitor:
    """Somebody who asks, and asks again, on one connection or each time on a new one."""

    def __init__(self, host: str, port: int, request: bytes, waits: list[float]) -> None:
        self.place, self.request, self.waits = (host, port), request, waits
        self.is_last = b"\r\nconnection: close\r\n" in request.lower()
        self.received = b""
        self.failed = 0
        self.connect()
        self.ask()

    def connect(self) -> None:
        """Open a connection. One that was there is left to who waits for it."""
        self.sock = socket.create_connection(self.place, timeout=ANSWER_TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)

    def ask(self) -> None:
        """Ask the server."""
        self.asked = time.perf_counter()
        self.sock.send(self.request)

    def ready(self) -> bool:
        """Read what has come, and ask again after a whole answer; return whether it goes on."""
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.failed += 1
            return False
        self.received += data
        if not is_whole(self.received):
            return True
        if self.received.startswith(b"HTTP/1.1 200"):
            self.waits.append(time.perf_counter() - self.asked)
        else:
            self.failed += 1
        self.received = b""
        if self.is_last:
            self.connect()
        self.ask()
        return True


def is_whole(received: bytes) -> bool:
    """Return whether an answer has come to its end."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    if length := LENGTH.search(head):
        return len(body) >= int(length[1])
    return _has_last_chunk(body)


def _has_last_chunk(body: bytes) -> bool:
    """Return whether the chunk of no bytes is there. What is in another may look like it."""
    at = 0
    while (end := body.find(b"\r\n", at)) >= 0:
        size = int(body[at:end].partition(b";")[0], 16)
        at = end + 2 + size + 2
        if not size:
            return len(body) >= at
    return False


def main() -> None:
    """Ask, and print what was seen as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--at-once", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--answers", type=float, default=math.inf)
    given = parser.parse_args()
    url = urlsplit(given.url)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"GET {path} HTTP/1.1", f"Host: {url.netloc}", *given.header, "", ""]
    request = "\r\n".join(lines).encode()
    waits: list[float] = []
    selector = selectors.DefaultSelector()
    assert url.hostname
    visitors = [
        Visitor(url.hostname, url.port or 80, request, waits) for _ in range(given.at_once)
    ]
    for visitor in visitors:
        selector.register(visitor.sock, selectors.EVENT_READ, visitor)
    # Not what its own start took.
    start, cpu = time.perf_counter(), time.process_time()
    while (left := start + given.seconds - time.perf_counter()) > 0 and selector.get_map():
        if len(waits) >= given.answers:
            break
        for key, _ in selector.select(left):
            visitor = key.data
            sock, stays = visitor.sock, visitor.ready()
            if not stays or visitor.sock is not sock:
                selector.unregister(sock)
                sock.close()
            if stays and visitor.sock is not sock:
                selector.register(visitor.sock, selectors.EVENT_READ, visitor)
    elapsed = time.perf_counter() - start
    waits.sort()

    def part(share: float) -> float:
        return waits[int(share * (len(waits) - 1))] * 1e3 if waits else 0.0

    seen = {
        "answers": len(waits),
        "seconds": elapsed,
        "p50_ms": part(0.5),
        "p99_ms": part(0.99),
        "cpu_s": time.process_time() - cpu,
        "failed": sum(visitor.failed for visitor in visitors),
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
