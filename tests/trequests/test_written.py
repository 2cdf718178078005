"""The headers of a request are, written down at once, those that urllib3 writes."""

from __future__ import annotations

from typing import Any

import pytest
from urllib3.connection import HTTPConnection
from urllib3.util import SKIP_HEADER

from trequests.engines.sockets.connections import PoliteConnection
from trequests.engines.sockets.written import Block, written


class Kept:
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def settimeout(self, _: Any) -> None:
        pass


def sent(kind: Any, headers: Any, method: str = "GET", body: Any = None) -> Any:
    connection = kind("example.org", 80)
    connection.sock = sock = Kept()
    try:
        connection.request(method, "/a?b=c", body=body, headers=headers)
    except (ValueError, UnicodeError, TypeError, AttributeError) as error:
        return type(error), str(error), sock.sent
    return sock.sent


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "1"},
        {"Host": "other", "Accept-Encoding": "gzip", "User-Agent": "me", "A": " b\tc "},
        {"Latin": "Zo\xeb"},
        {"Empty": ""},
        {"Greek": "\u03b1"},
        {"A": "1\r\nB: 2"},
        {"A": "1\r\n B"},
        {"A": "1\n"},
        {"A\r\nB": "1"},
        {"A\n": "1"},
        {"A B": "1"},
        {" A": "1"},
        {"A:": "1"},
        {"": "1"},
        {"\xeb": "1"},
        {"Null": "\x00"},
        {"Next": "a\x85b"},
        {"User-Agent": SKIP_HEADER},
        {"A": SKIP_HEADER},
        {"A": b"bytes"},
        {b"A": "1"},
        {"A": 1},
        {"A": None},
        {},
        None,
    ],
)
def test_it_is_the_same(headers: Any) -> None:
    for method, body in (("GET", None), ("POST", b"body"), ("POST", [b"in", b"pieces"])):
        stock = sent(HTTPConnection, headers, method, body)
        assert sent(PoliteConnection, headers, method, body) == stock


def test_most_are_written_at_once() -> None:
    block = written({"A": "1", "B": "2"}).block
    assert type(block) is Block
    assert block == b"A: 1\r\nB: 2"


def test_whoever_has_replaced_putheader_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    stock = HTTPConnection.putheader

    def putheader(connection: Any, name: Any, *values: Any) -> None:
        names.append(name)
        stock(connection, name, *values)

    monkeypatch.setattr(HTTPConnection, "putheader", putheader)
    sent(PoliteConnection, {"A": "1", "B": "2"})
    assert names[-2:] == ["A", "B"]
