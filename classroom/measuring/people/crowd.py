"""The people in a room: bare sockets on one selector, who count what each of them hears."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable

from loopfilm import LOCALHOST

from .dialects import Plain
from .frames import CLOSE, END_OF_HEADERS, PING, PONG, TEXT, cut, frame, handshake

# How many may be on their way into a room at once: they wait in the server's backlog, which is
# short on some machines.
ON_THE_WAY = 50
# Seconds in which the system, and not yet the server, takes a connection.
CONNECT_TIMEOUT = 60.0


class Trouble(Exception):
    """A server did not do what it has to do for its people."""


class Ears:
    """What all people listen with, of all rooms, so that a ping is answered at any time."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()

    def listen(self, until: Callable[[], bool], seconds: float) -> bool:
        """Let everybody hear what comes.

        Args:
            until: what is waited for.
            seconds: for how long at most.

        Returns:
            Whether it came.
        """
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self.selector.select(left):
                key.data()
        return True


class Person:
    """Somebody in a room, with a connection.

    Attributes:
        heard: a bit for each message that came.
    """

    __slots__ = ("crowd", "heard", "is_here", "is_open", "rest", "sock")

    def __init__(self, crowd: Crowd, name: str) -> None:
        self.crowd = crowd
        self.heard = 0
        self.is_open = self.is_here = False
        self.rest = b""
        self.sock = socket.create_connection((LOCALHOST, crowd.port), CONNECT_TIMEOUT)
        self.sock.setblocking(False)
        crowd.ears.selector.register(self.sock, selectors.EVENT_READ, self.ready)
        try:
            self.sock.sendall(handshake(crowd.dialect.path(name), crowd.port))
        except OSError:
            self.close()
            raise

    def send(self, payload: bytes, kind: int = TEXT) -> None:
        """Send a frame; there is room for it, since none of them is large."""
        data = frame(kind, payload)
        self.crowd.sent += len(data)
        try:
            self.sock.sendall(data)
        except OSError:
            self.crowd.lose(self)

    def ready(self) -> None:
        """Read what has come."""
        try:
            data = self.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.crowd.lose(self)
            return
        self.crowd.received += len(data)
        data = self.rest + data
        if not self.is_open:
            head, end, after = data.partition(END_OF_HEADERS)
            if not end:
                self.rest = data
                return
            data, self.is_open = after, True
            self.crowd.opened(self, head)
        frames, self.rest = cut(data)
        for kind, payload in frames:
            if kind == TEXT:
                self.crowd.told(self, payload)
            elif kind == PING:
                self.send(payload, PONG)
            elif kind == CLOSE:
                self.crowd.lose(self)
            if self.sock.fileno() < 0:
                return

    def close(self) -> None:
        """Leave without a word."""
        if self.sock.fileno() >= 0:
            self.crowd.ears.selector.unregister(self.sock)
            self.sock.close()


class Crowd:
    """The people in one room. All come before something is said: who comes later missed it.

    Args:
        ears: what they listen with.
        port: where the room is.
        dialect: what is spoken there.

    Attributes:
        people: all who came, also those who have been lost since.
        here: how many are in the room.
        dropped: how many were lost: the server closed their connection.
        said: how many messages have been said.
        due: how many times one of them has still to be heard by somebody who is in the room.
        twice: how often somebody heard a message again.
        sent: how many bytes they have sent, without the request that opens a WebSocket.
        received: how many bytes have come, with the answer to that request.
        refused: what the server said to the first whom it did not let in.
    """

    def __init__(self, ears: Ears, port: int, dialect: Plain) -> None:
        self.ears, self.port, self.dialect = ears, port, dialect
        self.people: list[Person] = []
        self.here = self.dropped = self.said = self.due = self.twice = 0
        self.sent = self.received = 0
        self.refused = ""
        # The numbers of messages, by their text, and by how the server tells it.
        self.texts: dict[str, int] = {}
        self.payloads: dict[bytes, int] = {}

    def join(self, people: int, seconds: float) -> None:
        """Let so many more people in.

        Args:
            people: how many.
            seconds: until all of them have to be there.

        Raises:
            Trouble: they were not all in the room within these seconds.
        """
        end = time.monotonic() + seconds
        wanted = len(self.people) + people
        try:
            while len(self.people) < wanted and self._wait(ON_THE_WAY - 1, end):
                self.people.append(Person(self, f"person{len(self.people)}"))
            self._wait(0, end)
        except OSError as error:
            self.refused = str(error)
        if self.here < wanted:
            dropped = f", and {self.dropped} were dropped" if self.dropped else ""
            said = f": {self.refused}" if self.refused else ""
            raise Trouble(f"{self.here} of {wanted} people are in the room{dropped}{said}")

    def _wait(self, on_the_way: int, end: float) -> bool:
        """Say whether by then no more than so many people are on their way, and none lost."""

        def it_goes_wrong() -> bool:
            return bool(self.refused) or self.dropped > 0

        def they_are_there() -> bool:
            return len(self.people) - self.here <= on_the_way

        seconds = end - time.monotonic()
        came = self.ears.listen(lambda: it_goes_wrong() or they_are_there(), seconds)
        return came and not it_goes_wrong()

    def say(self, messages: int) -> None:
        """Have so many messages said at once, each by another person if there are as many."""
        for number in range(self.said, self.said + messages):
            text = f"this is message {number}, and it is about as long as most"
            self.texts[text] = number
            self.due += self.here
            self.said += 1
            speaker = self.people[number * 101 % len(self.people)]
            speaker.send(self.dialect.say(text))

    def all_have_heard(self) -> bool:
        """Say whether nothing is due any more to anybody who is still in the room."""
        return self.due == 0

    def lost(self) -> int:
        """Return how many people have not heard all messages."""
        return sum(person.heard.bit_count() < self.said for person in self.people)

    def close(self) -> None:
        """Have everybody leave."""
        for person in self.people:
            person.close()

    def opened(self, person: Person, head: bytes) -> None:
        """Note that a server has answered with these headers."""
        status = head.partition(b"\r\n")[0].decode("latin-1")
        if " 101 " not in f"{status} ":
            self.refused = self.refused or status
        elif self.dialect.lets_in(None):
            self.let_in(person)

    def let_in(self, person: Person) -> None:
        """Note that somebody is in the room."""
        person.is_here = True
        self.here += 1

    def told(self, person: Person, payload: bytes) -> None:
        """Note what a server told to somebody."""
        number = self.payloads.get(payload)
        if number is None:
            text = self.dialect.text(payload)
            if text not in self.texts:
                self.other(person, payload)
                return
            number = self.payloads[payload] = self.texts[text]
        bit = 1 << number
        if person.heard & bit:
            self.twice += 1
        else:
            person.heard |= bit
            self.due -= 1

    def other(self, person: Person, payload: bytes) -> None:
        """Do what a server wants that told no message of ours."""
        if not person.is_here and self.dialect.lets_in(payload):
            self.let_in(person)
        if answer := self.dialect.answer(payload):
            person.send(answer)

    def lose(self, person: Person) -> None:
        """Note that a server has dropped somebody; nothing is due to them any more."""
        if person.sock.fileno() < 0:
            # Who was dropped is still asked to talk, and fails.
            return
        person.close()
        self.dropped += 1
        if person.is_here:
            person.is_here = False
            self.here -= 1
            self.due -= self.said - person.heard.bit_count()
