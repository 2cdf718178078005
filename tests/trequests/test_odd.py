"""Odd answers, and odd ways to ask: stock requests is the measure."""

from __future__ import annotations

import socket
from typing import Any, ClassVar

import pytest
import requests
from requests.adapters import HTTPAdapter
from tornado.iostream import IOStream
from urllib3 import Retry

from .test_clients import Way, asked, engines, serving

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_proxies"),
]

OK = b"HTTP/1.1 200 OK\r\n"
HI = b"Content-Length: 2\r\n\r\nhi"
BUSY = b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

ODD = {
    "no reason": b"HTTP/1.1 200\r\n" + HI,
    "no reason but its space": b"HTTP/1.1 200 \r\n" + HI,
    "a reason with a control character": b"HTTP/1.1 200 a\x01b\r\n" + HI,
    "spaces around the reason": b"HTTP/1.1 200   very  OK  \r\n" + HI,
    "a status of four digits": b"HTTP/1.1 1000 High\r\n" + HI,
    "a status that is a fraction": b"HTTP/1.1 200.5 OK\r\n" + HI,
    "a status that is nought": b"HTTP/1.1 000 Zero\r\n" + HI,
    "a protocol in small letters": b"http/1.1 200 OK\r\n" + HI,
    "two spaces before the status": b"HTTP/1.1  200 OK\r\n" + HI,
    "version 1.2": b"HTTP/1.2 200 OK\r\n" + HI,
    "version 2": b"HTTP/2 200 OK\r\n" + HI,
    "nothing of HTTP": b"hello\r\n\r\n",
    "an empty line before it": b"\r\n" + OK + HI,
    "nothing": b"",
    "half a status": b"HTTP/1.1 20",
    "a folded header": OK + b"X-A: one\r\n two\r\n\tthree\r\n" + HI,
    "a header without a colon": OK + b"bogus\r\n" + HI,
    "a header without a name": OK + b": x\r\n" + HI,
    "a space in a name": OK + b"X A: 1\r\n" + HI,
    "brackets in a name": OK + b"X(A): 1\r\n" + HI,
    "names in letters of their own": OK + b"WWW-Authenticate: x\r\nX_aB: 1\r\n" + HI,
    "control characters in a value": OK + b"X-A: a\x01b\x0c\x0b\x7f\r\n" + HI,
    "a zero in a value": OK + b"X-A: a\x00b\r\n" + HI,
    "spaces behind a value": OK + b"X-A: a  \r\nX-B:\tb\t\r\n" + HI,
    "lines that end with LF only": b"HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nhi",
    "headers that break off": OK + b"X-A: b\r\n",
    "a length that is a word": OK + b"Content-Length: two\r\n\r\nhi",
    "a length below nought": OK + b"Content-Length: -2\r\n\r\nhi",
    "less than its length": OK + b"Content-Length: 9\r\n\r\nhi",
    "more than its length": OK + b"Content-Length: 2\r\n\r\nhihi",
    "an extension": CHUNKED + b"2;a=b\r\nhi\r\n0\r\n\r\n",
    "an extension and a trailer": CHUNKED + b"2;a=b\r\nhi\r\n0;c\r\nX-T: 1\r\n\r\n",
    "a long extension": CHUNKED + b"2;" + b"a" * 500 + b"\r\nhi\r\n0\r\n\r\n",
    "spaces behind a size": CHUNKED + b"2  \r\nhi\r\n0\r\n\r\n",
    "a size that is none": CHUNKED + b"zz\r\nhi\r\n0\r\n\r\n",
    "a size like one in Python": CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n",
    "no last chunk": CHUNKED + b"2\r\nhi\r\n",
    "a last chunk without its end": CHUNKED + b"2\r\nhi\r\n0\r\n",
    "chunks and a length": OK + b"Transfer-Encoding: chunked\r\n"
    b"Content-Length: 9\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "two codings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "another protocol's bytes": b"HTTP/1.1 101 Switching Protocols\r\n\r\nraw",
    "a length with a Continue": b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n" + OK + HI,
    "a dozen times Continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 12 + OK + HI,
    "nothing but Continue": b"HTTP/1.1 100 Continue\r\n\r\n",
    "a body where there is none": b"HTTP/1.1 204 No Content\r\n" + HI,
    "chunks where there is no body": b"HTTP/1.1 204 No\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}

# libcurl takes these for an attack, and says so.
REFUSED_BY_LIBCURL = {
    "two spaces before the status",
    "version 1.2",
    "a header without a colon",
    "a zero in a value",
    "a length that is a word",
    "a length below nought",
    "a size like one in Python",
    "a last chunk without its end",
    "two codings",
}


def seen(url: str) -> Any:
    """Return what a caller sees of an answer."""
    try:
        answer = requests.get(url, timeout=60)
    except requests.RequestException as error:
        return type(error)
    headers = sorted(answer.raw.headers.items())
    return answer.status_code, answer.reason, headers, answer.content, answer.raw.version


async def test_an_odd_answer_is_what_it_is_to_stock() -> None:
    async def talk(stream: IOStream) -> None:
        number = int((await asked(stream)).split(b" ")[1][1:])
        await stream.write(list(ODD.values())[number])

    def all_of_them() -> dict[str, Any]:
        return {name: seen(f"{url}{number}") for number, name in enumerate(ODD)}

    async with serving(talk) as server:
        url = f"http://127.0.0.1:{server.port}/"
        stock = await Way(None)(all_of_them)
        for engine in ("sockets", "simple", "curl"):
            other = {
                name: answer
                for name, answer in (await Way(engine)(all_of_them)).items()
                if answer != stock[name]
            }
            expected = REFUSED_BY_LIBCURL if engine == "curl" else set[str]()
            assert other.keys() == expected, (engine, other)
            assert all(issubclass(kind, requests.RequestException) for kind in other.values())


@engines(None, "sockets", "simple", "curl")
async def test_the_time_for_connecting_is_named(engine: str | None) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        # With a full queue of clients, the system lets the next ones wait.
        server.listen(0)
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        try:
            with pytest.raises(requests.ConnectTimeout, match=r"connect timeout=0\.1\)"):
                await Way(engine)(
                    requests.get, f"http://127.0.0.1:{address[1]}/", timeout=(0.1, 300)
                )
        finally:
            for each in waiting:
                each.close()


class KeepsCount(Retry):
    """Retries that keep state on themselves and on their class, as threads may read it."""

    failures = 0
    kinds: ClassVar[set[type]] = set()

    def increment(self, *args: Any, **kwargs: Any) -> KeepsCount:
        type(self).failures += 1
        self.kinds.add(type(self))
        new = type(self)(**vars(super().increment(*args, **kwargs)))
        self.tries = getattr(self, "tries", 0) + 1
        return new


@engines(None, "sockets")
async def test_retries_of_a_class_of_one_s_own_keep_their_state(engine: str | None) -> None:
    answers = iter([BUSY, BUSY, OK + HI])

    async def talk(stream: IOStream) -> None:
        await asked(stream)
        await stream.write(next(answers))

    def code() -> Any:
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=retries))
            return session.get(url, timeout=60).raw.retries

    retries = KeepsCount(2, status_forcelist=[503])
    async with serving(talk) as server:
        url = f"http://127.0.0.1:{server.port}/"
        KeepsCount.failures = 0
        KeepsCount.kinds = set()
        last = await Way(engine)(code)
    assert (KeepsCount.failures, retries.tries) == (2, 1)
    assert {type(last), *KeepsCount.kinds} == {KeepsCount}
    assert len(last.history) == 2


@engines(None, "sockets", "simple", "curl")
async def test_what_cannot_be_sent_is_not(engine: str | None) -> None:
    """A number among the pieces is no row of zeros, and a name is in ASCII."""
    numbers: Any = iter([b"a", 3])
    async with serving(nothing) as server:
        url = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(TypeError):
            await Way(engine)(requests.post, url, data=numbers, timeout=60)
        with pytest.raises(UnicodeEncodeError):
            await Way(engine)(requests.get, url, headers={"\xe4": "b"}, timeout=60)


@engines(None, "sockets", "simple", "curl")
async def test_the_original_of_an_answer_says_what_it_was(engine: str | None) -> None:
    async def talk(stream: IOStream) -> None:
        await asked(stream)
        await stream.write(b"HTTP/1.1 203 Fine\r\n" + HI)

    async with serving(talk) as server:
        answer = await Way(engine)(requests.get, f"http://127.0.0.1:{server.port}/")
    # The second is what urllib3 reads from.
    for original in (answer.raw._original_response, answer.raw._fp):
        assert (original.status, original.reason, original.version) == (203, "Fine", 11)
        assert original.headers is original.msg


@pytest.mark.parametrize("method", ["GET / HTTP/1.1\r\n\r\nGET", "G T", "G\xc9T", "GET\n"])
@engines(None, "sockets", "simple", "curl")
async def test_a_method_is_one_word(engine: str | None, method: str) -> None:
    """Otherwise one request could be made two by whoever chooses its method."""
    async with serving(nothing) as server:
        with pytest.raises(ValueError, match="Method cannot contain non-token characters"):
            await Way(engine)(requests.request, method, f"http://127.0.0.1:{server.port}/")


async def nothing(stream: IOStream) -> None:
    await stream.read_until_close()


@engines(None, "sockets", "simple", "curl")
async def test_what_is_asked_for_arrives_as_it_was_asked_for(engine: str | None) -> None:
    heard = list[bytes]()

    async def talk(stream: IOStream) -> None:
        heard.append(await asked(stream))
        if heard[-1].startswith(b"POST"):
            body = await stream.read_until(b"0\r\n\r\n")
            heard.append(body)
        await stream.write(OK + b"Connection: close\r\n" + HI)

    def code() -> None:
        requests.get(url, headers={"Upgrade": "film", "Connection": "Upgrade"}, timeout=60)
        pieces: Any = iter([b"a", None, b"", b"bc"])
        requests.post(url, data=pieces, headers={"Expect": "100-continue"}, timeout=60)

    async with serving(talk) as server:
        url = f"http://127.0.0.1:{server.port}/"
        await Way(engine)(code)
    assert b"\r\nConnection: Upgrade\r\n" in heard[0]
    assert heard[2] == b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
