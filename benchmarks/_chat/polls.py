"""People who wait for news by long poll: each has asked our chat, and has no answer yet."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from classroom.measuring.people.crowd import CONNECT_TIMEOUT, Trouble
from classroom.measuring.people.frames import END_OF_HEADERS

from .._shared import LOCALHOST

# After so many it is asked for its page too, so that they do not fill the server's backlog.
IN_ONE_GO = 50
TEXT = "here is some news"


@contextmanager
def waiting(port: int, people: int, seconds: float) -> Iterator[list[socket.socket]]:
    """Have so many people wait for news.

    Args:
        port: where our chat is.
        people: how many.
        seconds: how long each may have to wait for an answer, later.

    Raises:
        Trouble: the server does not answer.
    """
    with ExitStack() as stack:
        crowd = []
        for number in range(people):
            crowd.append(stack.enter_context(_asked(port, b"GET /news HTTP/1.1", b"", seconds)))
            if number % IN_ONE_GO == 0 or number == people - 1:
                with _asked(port, b"GET / HTTP/1.1", b"", seconds) as visitor:
                    answer_of(visitor)
        yield crowd


def tell(port: int, seconds: float) -> None:
    """Say something to the room.

    Raises:
        Trouble: the server does not take it.
    """
    form = f"name=ada&text={TEXT.replace(' ', '+')}".encode()
    with _asked(port, b"POST /say HTTP/1.1", form, seconds) as sock:
        answer_of(sock)


def answer_of(sock: socket.socket) -> bytes:
    """Return the body of the answer that comes, of less than 64 KB.

    Raises:
        Trouble: none comes in time, or it is an error.
    """
    data = b""
    try:
        while not _is_whole(data):
            more = sock.recv(65_536)
            if not more:
                raise Trouble("the server closed a connection without an answer")
            data += more
    except OSError as error:
        raise Trouble(f"no answer: {error}") from error
    head, _, body = data.partition(END_OF_HEADERS)
    status = head.partition(b"\r\n")[0]
    if not status.startswith(b"HTTP/1.1 20"):
        raise Trouble(status.decode("latin-1"))
    return body


@contextmanager
def _asked(port: int, what: bytes, form: bytes, seconds: float) -> Iterator[socket.socket]:
    with socket.create_connection((LOCALHOST, port), CONNECT_TIMEOUT) as sock:
        sock.settimeout(seconds)
        sock.sendall(
            b"%s\r\nHost: %s:%d\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (what, LOCALHOST.encode(), port, len(form), form)
        )
        yield sock


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(END_OF_HEADERS)
    _, known, after = head.lower().partition(b"\r\ncontent-length:")
    length = int(after.partition(b"\r\n")[0]) if known else 0
    return bool(end) and len(body) >= length
