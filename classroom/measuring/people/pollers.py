"""People who wait for news by long poll: each has asked, and has no answer yet."""

from __future__ import annotations

import http.client
import selectors
import socket
import time
from contextlib import closing

from loopfilm import LOCALHOST

from .crowd import CONNECT_TIMEOUT, ON_THE_WAY, Ears, Trouble
from .frames import END_OF_HEADERS

# Seconds in which a server answers what is no long poll.
PATIENCE = 60.0


class Poller:
    """Somebody who waits for an answer."""

    __slots__ = ("answer", "pollers", "sock")

    def __init__(self, pollers: Pollers) -> None:
        self.pollers, self.answer = pollers, b""
        self.sock = socket.create_connection((LOCALHOST, pollers.port), CONNECT_TIMEOUT)
        self.sock.setblocking(False)
        pollers.ears.selector.register(self.sock, selectors.EVENT_READ, self.ready)
        try:
            self.sock.sendall(pollers.question)
        except OSError:
            self.close()
            raise

    def ready(self) -> None:
        """Read what has come."""
        try:
            data = self.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.pollers.dropped += 1
            self.close()
            return
        self.answer += data
        head, end, body = self.answer.partition(END_OF_HEADERS)
        if end and len(body) >= length_in(head):
            self.pollers.answered(head, body)
            self.answer = b""

    def close(self) -> None:
        """Leave without a word."""
        if self.sock.fileno() >= 0:
            self.pollers.ears.selector.unregister(self.sock)
            self.sock.close()


class Pollers:
    """Those who wait at one server for what is said next.

    Args:
        ears: what they listen with.
        port: where the server is; it has `/news`, `/waiting` and `/say`.

    Attributes:
        people: all who came.
        heard: how many have been answered, with what was said.
        wrong: the first answer that was another, or nothing.
        dropped: how many connections were closed without one.
    """

    def __init__(self, ears: Ears, port: int) -> None:
        self.ears, self.port = ears, port
        self.people: list[Poller] = []
        self.heard = self.dropped = 0
        self.wrong = ""
        self.text = b""
        self.question = f"GET /news HTTP/1.1\r\nHost: {LOCALHOST}:{port}\r\n\r\n".encode()

    def join(self, people: int, seconds: float) -> None:
        """Let so many more people ask, and see that they wait.

        Args:
            people: how many.
            seconds: until all of them have to wait.

        Raises:
            Trouble: they do not all wait within these seconds, or somebody had an answer.
        """
        end = time.monotonic() + seconds
        wanted = len(self.people) + people
        try:
            while len(self.people) < wanted:
                for _ in range(min(ON_THE_WAY, wanted - len(self.people))):
                    self.people.append(Poller(self))
                while (waiting := int(self.ask("GET", "/waiting"))) < len(self.people):
                    # Nobody hears anything yet, but may be sent away, or told at once.
                    self.ears.listen(self._do_not_wait, 0.001)
                    if self._do_not_wait() or time.monotonic() > end:
                        answer = f", and one had the answer {self.wrong}" if self.wrong else ""
                        raise Trouble(
                            f"{waiting} of {wanted} people wait, {self.dropped} dropped{answer}"
                        )
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Trouble(
                f"{len(self.people)} of {wanted} people have asked: {error}"
            ) from error

    def _do_not_wait(self) -> bool:
        return self.dropped > 0 or bool(self.wrong)

    def say(self, messages: int) -> None:
        """Say something, which each of them is told, and after which they do not wait.

        Args:
            messages: how many; all but the first are told to nobody.

        Raises:
            Trouble: the server does not take it.
        """
        self.text = b"this is news, and it is about as long as most"
        try:
            for _ in range(messages):
                self.ask("POST", "/say", self.text)
        except (OSError, http.client.HTTPException) as error:
            raise Trouble(f"nothing could be said: {error}") from error

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Ask the server something else, on a connection of its own, and return the answer.

        Raises:
            Trouble: the answer is an error.
            OSError: there is none.
        """
        with closing(
            http.client.HTTPConnection(LOCALHOST, self.port, timeout=PATIENCE)
        ) as asking:
            asking.request(method, path, body)
            answer = asking.getresponse()
            if answer.status >= 400:
                raise Trouble(f"{method} {path}: {answer.status} {answer.reason}")
            return answer.read()

    def answered(self, head: bytes, body: bytes) -> None:
        """Note an answer."""
        if head.startswith(b"HTTP/1.1 200") and body == self.text:
            self.heard += 1
        else:
            self.wrong = self.wrong or head.partition(b"\r\n")[0].decode("latin-1")

    def all_have_heard(self) -> bool:
        """Say whether nobody waits any more, be it that they have heard it or that not."""
        return self.heard + self.dropped >= len(self.people) or bool(self.wrong)

    def lost(self) -> int:
        """Return how many have not heard it."""
        return len(self.people) - self.heard

    def close(self) -> None:
        """Have everybody leave."""
        for poller in self.people:
            poller.close()


def length_in(head: bytes) -> int:
    """Return how long the body is, as the headers of an answer say."""
    _, known, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0]) if known else 0
