"""The engine "sockets" reads the beginning of an answer as the standard library reads it."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable
from typing import Any

import pytest

from trequests.engines.sockets.headers import PoliteResponse, parse_headers

Function = Callable[[Any], http.client.HTTPMessage]


@pytest.mark.parametrize(
    "lines",
    [
        "A: 1\r\nB: 2\r\nA: 3\r\n",
        "Spaces:   before and after  \r\n",
        "Empty:\r\n",
        "Latin: Zo\xeb\r\n",
        "Folded: one\r\n two\r\n",
        "Folded: one\r\n\ttwo\r\nB: 2\r\n",
        "no colon\r\nB: 2\r\n",
        ": no name\r\nB: 2\r\n",
        "Space : before the colon\r\nB: 2\r\n",
        "Bare: one\rtwo\r\n",
        "Newline: only\nB: 2\r\n",
        "Null: \x00\r\n",
        "Separator: a\x1cb\x85c\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "",
    ],
)
def test_headers_are_read_as_the_standard_library_reads_them(lines: str) -> None:
    def read(function: Callable[[Any], http.client.HTTPMessage]) -> Any:
        message = function(io.BytesIO((lines + "\r\n").encode("latin-1")))
        return message.items(), [type(defect) for defect in message.defects]

    stock = read(http.client.parse_headers)
    if "multipart" in lines:
        # It looks for the parts of an e-mail, which headers have none of.
        stock = (stock[0], [])
    assert read(parse_headers) == stock


@pytest.mark.parametrize("function", [http.client.parse_headers, parse_headers])
@pytest.mark.parametrize(
    "lines", ["A: 1\r\n" * 200, f"A: {'1' * 70_000}\r\n"], ids=["many", "long"]
)
def test_headers_without_end_are_refused(function: Function, lines: str) -> None:
    with pytest.raises(http.client.HTTPException):
        function(io.BytesIO(lines.encode()))


def outcome(function: Function, text: str) -> Any:
    """What comes of some headers, and what is left of the file."""
    file = io.BytesIO(text.encode("latin-1"))
    try:
        items = function(file).items()
    except http.client.HTTPException as error:
        return str(error)
    return items, file.read()


@pytest.mark.parametrize("count", [98, 99, 100, 101])
@pytest.mark.parametrize("last", ["", "B: 2\r\n", "no colon\r\n"])
def test_the_standard_library_decides_how_many_are_too_many(count: int, last: str) -> None:
    text = "A: 1\r\n" * count + last + "\r\nbody"
    assert outcome(parse_headers, text) == outcome(http.client.parse_headers, text)


@pytest.mark.parametrize("size", range(65534, 65539))
def test_the_standard_library_decides_which_are_too_long(size: int) -> None:
    text = "A: 1\r\nB: ".ljust(size + 6, "x") + "\r\nC: 3\r\n\r\nbody"
    assert outcome(parse_headers, text) == outcome(http.client.parse_headers, text)


def test_whoever_lets_the_standard_library_take_more_gets_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http.client, "_MAXHEADERS", 300)
    monkeypatch.setattr(http.client, "_MAXLINE", 100_000)
    text = "A: 1\r\n" * 200 + "B: ".ljust(70_000, "x") + "\r\nC: 3\r\n\r\nbody"
    items, left = outcome(parse_headers, text)
    assert (len(items), left) == (202, b"body")
    assert (items, left) == outcome(http.client.parse_headers, text)


# -- all of the beginning ---------------------------------------------------------------------

STATUS_LINES = [
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200",
    "HTTP/1.1  200   spaces around  ",
    "HTTP/1.0 200 OK",
    "HTTP/1.2 200 OK",
    "HTTP/0.9 200 OK",
    "HTTP/0.99 200 OK",
    "HTTP/2 200 OK",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    "HTTP/1.1 100 Continue\r\nA: 1\r\n\r\nHTTP/1.1 100 Again\r\n\r\nHTTP/1.1 204 No Content",
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 99 Too small",
    "HTTP/1.1 9999 Too large",
    "HTTP/1.1 2x0 No number",
    "ICY 200 OK",
    "",
]
HEADERS = [
    "",
    "Content-Length: 4\r\n",
    "content-length: 4\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: -4\r\n",
    "Content-Length: four\r\n",
    "Content-Length: 4\r\nContent-Length: 5\r\n",
    "Content-Length:\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: Chunked\r\nContent-Length: 4\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding:\r\nContent-Length: 4\r\n",
    "Content-Length: 4\r\nConnection: close\r\n",
    "Content-Length: 4\r\nConnection: keep-alive\r\n",
    "Content-Length: 4\r\nKeep-Alive: timeout=5\r\n",
    "Content-Length: 4\r\nProxy-Connection: keep-alive\r\n",
    "Connection: close\r\n",
    "Folded: one\r\n two\r\nContent-Length: 4\r\n",
]


def begun(
    kind: type[http.client.HTTPResponse], answer: str, method: str, debuglevel: int = 0
) -> Any:
    """What a response knows when it has begun, and what it reads then."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(answer.encode())
        there.shutdown(socket.SHUT_WR)
        response = kind(here, debuglevel, method)
        try:
            response.begin()
            known = {**vars(response)}
            for name in ("fp", "_give_way"):
                known.pop(name, None)
            known["headers"] = known["msg"] = response.headers.items()
            return known, response.isclosed(), response.read()
        except (http.client.HTTPException, OSError) as error:
            return type(error), str(error)
        finally:
            response.close()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", STATUS_LINES)
def test_it_knows_what_the_standard_library_s_knows(status: str, method: str) -> None:
    for headers in HEADERS:
        answer = f"{status}\r\n{headers}\r\n4\r\nbody\r\n0\r\n\r\n"
        stock = begun(http.client.HTTPResponse, answer, method)
        assert begun(PoliteResponse, answer, method) == stock, answer


def test_it_tells_what_comes_if_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    answer = "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\n\r\n"
    stock = begun(http.client.HTTPResponse, answer, "GET", 1), capsys.readouterr().out
    assert "A: 1" in stock[1]
    assert (begun(PoliteResponse, answer, "GET", 1), capsys.readouterr().out) == stock


def test_to_begin_twice_changes_nothing() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")
        response = PoliteResponse(here, method="GET")
        response.begin()
        response.begin()
        assert response.read() == b"body"
