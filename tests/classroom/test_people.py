"""People who wait at servers that do not do what they should; who talks is in `test_chat`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import Application, RequestHandler

from classroom.measuring.people.crowd import Crowd, Ears, Trouble
from classroom.measuring.people.dialects import Plain, SocketIO
from classroom.measuring.people.pollers import Pollers, length_in
from loopfilm import running_apart
from tests.addresses import nobody_listens

# Seconds that no machine is too busy for.
LONG = 500.0


class News(RequestHandler):
    """Answers each with something, when somebody has said something."""

    def initialize(self, waiting: list[asyncio.Event], answer: str) -> None:
        self.waiting, self.answer = waiting, answer

    async def get(self) -> None:
        self.waiting.append(asyncio.Event())
        await self.waiting[-1].wait()
        if self.answer == "close":
            assert self.request.connection
            self.request.connection.stream.close()  # type: ignore[attr-defined]
        elif self.answer == "error":
            self.set_status(503)
        else:
            self.finish(self.answer)


class Say(RequestHandler):
    def initialize(self, waiting: list[asyncio.Event], answer: str) -> None:
        self.waiting, self.answer = waiting, answer

    def post(self) -> None:
        if self.answer == "not now":
            self.set_status(503)
        for event in self.waiting:
            event.set()


class Waiting(RequestHandler):
    def initialize(self, waiting: list[asyncio.Event], answer: str) -> None:
        self.waiting = waiting

    def get(self) -> None:
        self.finish(str(len(self.waiting)))


@contextmanager
def pollers_at(answer: str) -> Iterator[Pollers]:
    """Three people who wait at a server that answers like this."""
    world = {"waiting": [], "answer": answer}
    routes = [("/news", News, world), ("/say", Say, world), ("/waiting", Waiting, world)]
    with running_apart(Application(routes)) as url:
        crowd = Pollers(Ears(), int(url.rpartition(":")[2]))
        try:
            crowd.join(3, LONG)
            yield crowd
        finally:
            crowd.close()


@pytest.mark.parametrize(
    ("answer", "dropped", "wrong"),
    [
        ("something else", 0, "HTTP/1.1 200 OK"),
        ("error", 0, "HTTP/1.1 503 Service Unavailable"),
        ("close", 3, ""),
    ],
)
def test_who_is_not_told_what_was_said_has_not_heard_it(
    answer: str, dropped: int, wrong: str
) -> None:
    with pollers_at(answer) as crowd:
        crowd.say(1)
        assert crowd.ears.listen(crowd.all_have_heard, LONG)
        assert (crowd.heard, crowd.dropped, crowd.wrong) == (0, dropped, wrong)
        assert crowd.lost() == 3


def test_what_is_not_taken_cannot_be_said() -> None:
    with pollers_at("not now") as crowd, pytest.raises(Trouble, match="POST /say: 503"):
        crowd.say(1)


def test_where_nobody_listens_nobody_waits() -> None:
    with nobody_listens() as url:
        crowd = Pollers(Ears(), int(url.rpartition(":")[2]))
        with pytest.raises(Trouble, match=r"^0 of 3 people have asked: "):
            crowd.join(3, LONG)


class Always(RequestHandler):
    """Answers at once, and says that nobody waits."""

    def get(self) -> None:
        self.finish("0")


def test_who_is_answered_at_once_does_not_wait() -> None:
    with running_apart(Application([("/.*", Always)])) as url:
        crowd = Pollers(Ears(), int(url.rpartition(":")[2]))
        told = r"^0 of 3 people wait, 0 dropped, and one had the answer HTTP/1.1 200 OK$"
        with pytest.raises(Trouble, match=told):
            crowd.join(3, LONG)
        crowd.close()


def refuse_to_send(*_: object) -> None:
    raise ConnectionResetError("it has gone")


def test_who_cannot_ask_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "sendall", refuse_to_send)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for crowd in (Pollers(Ears(), port), Crowd(Ears(), port, Plain())):
            with pytest.raises(Trouble, match=r"^0 of 1 people .* it has gone$"):
                crowd.join(1, LONG)
            assert not crowd.ears.selector.get_map()


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"HTTP/1.1 204 No Content", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nDate: today", 12),
        (b"HTTP/1.1 200 OK\r\nDate: today\r\ncontent-length:7", 7),
    ],
)
def test_the_length_of_an_answer(head: bytes, length: int) -> None:
    assert length_in(head) == length


@given(st.binary(), st.sampled_from([b"", b"42", b'42["said",', b'42["said","a"]']))
def test_whatever_a_server_says_is_understood_or_passed_over(
    said: bytes, before: bytes
) -> None:
    for dialect in (Plain(), SocketIO()):
        text = dialect.text(before + said)
        assert text is None or isinstance(text, str)


@given(st.text())
def test_what_is_said_is_what_is_told(text: str) -> None:
    said = SocketIO().say(text)
    assert SocketIO().text(said.replace(b'"say"', b'"said"', 1)) == text
    assert Plain().text(Plain().say(text)) == text
