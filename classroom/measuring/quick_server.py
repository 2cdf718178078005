"""A server that costs hardly anything, for those who measure clients: it also counts.

    python -m classroom.measuring.quick_server

`/` answers with a line of JSON, `/large` with a string of ten million digits, and `/count` says
how many connections came for those, and how many answers they got. It is one process with one
selector and bare sockets, since it has to cost less than any client. It understands GET alone,
and ends with whoever holds its standard input.
"""

from __future__ import annotations

import _thread
import json
import os
import selectors
import socket
from typing import NoReturn

SMALL = b'{"weather": "stormy", "wind": {"from": "north-west", "knots": 48}, "warm": false}'
LARGE = b'"' + b"0123456789" * 1_000_000 + b'"'
LONGEST_HEAD = 65536  # bytes
BACKLOG = 1024


def answer(body: bytes, *, is_last: bool, status: str = "200 OK") -> bytes:
    """Return a whole answer, as it is sent."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *["Connection: close"] * is_last]
    return "\r\n".join([*lines, "", ""]).encode() + body


ANSWERS = {
    (path, is_last): answer(body, is_last=is_last)
    for path, body in {b"/": SMALL, b"/large": LARGE}.items()
    for is_last in (False, True)
}
WRONG = answer(b'{"error": "GET /, /large or /count"}', is_last=True, status="400 Bad Request")


class Server:
    """Listens on a port that the system picks, and counts.

    Attributes:
        port: where.
        connections: how many were opened that asked for `/` or `/large`.
        answers: how many answers these got.
    """

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.listener.setblocking(False)
        self.port: int = self.listener.getsockname()[1]
        self.connections = self.answers = 0

    def serve(self) -> NoReturn:
        """Serve for ever."""
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        while True:
            for key, _ in self.selector.select():
                key.data()

    def accept(self) -> None:
        """Accept all connections that wait, and answer those that have asked already."""
        while True:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            except OSError:
                # It has gone again, or there are too many; the others go on.
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Connection(self, sock).read()


class Connection:
    """A connection on which somebody asks, and asks again."""

    __slots__ = ("asked", "is_last", "received", "sending", "server", "sock", "waits_for")

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.server, self.sock = server, sock
        self.received = b""
        self.sending = memoryview(b"")
        self.waits_for = 0
        self.asked = self.is_last = False

    def read(self) -> None:
        """Read what has come, and answer it if it is whole."""
        try:
            data = self.sock.recv(LONGEST_HEAD)
        except BlockingIOError:
            self.wait_for(selectors.EVENT_READ)
            return
        except OSError:
            data = b""
        self.received += data
        if not data:
            self.close()
        elif self.received.endswith(b"\r\n\r\n"):
            self.reply()
        elif len(self.received) > LONGEST_HEAD:
            self.close()
        else:
            self.wait_for(selectors.EVENT_READ)

    def reply(self) -> None:
        """Answer a request. Who says that it is the last, or asks for nothing we have, goes."""
        server, request = self.server, self.received
        self.received = b""
        # Some clients write it in small letters.
        self.is_last = b"onnection: close" in request
        method, _, rest = request.partition(b" ")
        path = rest.partition(b" ")[0]
        if method == b"GET" and (path, self.is_last) in ANSWERS:
            server.connections += not self.asked
            server.answers += 1
            self.asked = True
            whole = ANSWERS[path, self.is_last]
        elif method == b"GET" and path == b"/count":
            counts = {"connections": server.connections, "answers": server.answers}
            whole = answer(json.dumps(counts).encode(), is_last=self.is_last)
        else:
            whole, self.is_last = WRONG, True
        self.sending = memoryview(whole)
        self.send()

    def send(self) -> None:
        """Send as much as the system takes; the rest when it takes more."""
        try:
            self.sending = self.sending[self.sock.send(self.sending) :]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self.sending:
            self.wait_for(selectors.EVENT_WRITE)
        elif self.is_last:
            self.close()
        else:
            self.wait_for(selectors.EVENT_READ)

    def wait_for(self, event: int) -> None:
        """Wait until there is something to read, or room to write."""
        if event == self.waits_for:
            return
        ready = self.read if event == selectors.EVENT_READ else self.send
        change = (
            self.server.selector.modify if self.waits_for else self.server.selector.register
        )
        change(self.sock, event, ready)
        self.waits_for = event

    def close(self) -> None:
        """Close it."""
        if self.waits_for:
            self.server.selector.unregister(self.sock)
        self.sock.close()


def _end_with_stdin() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


def main() -> None:
    """Listen, say where, and serve until standard input ends."""
    server = Server()
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    _thread.start_new_thread(_end_with_stdin, ())
    server.serve()


if __name__ == "__main__":
    main()
