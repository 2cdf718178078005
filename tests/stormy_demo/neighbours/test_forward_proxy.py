"""A proxy that hands on what it is asked and answered, and says no in a sentence."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler

from loopfilm import running
from stormy_demo.listening import listening
from stormy_demo.neighbours.counterparts import counted_connections, forward_proxy
from stormy_demo.neighbours.counterparts.forward_proxy import Proxy
from tests.bad_clients import Visit, http_requests, serving, visits

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]


LONG = 60.0  # seconds that no machine is too busy for


class Site(RequestHandler):
    """Answers with what it was asked, and with headers of all kinds."""

    def prepare(self) -> None:
        self.settings["seen"].append(self.request)

    def get(self) -> None:
        self.set_status(int(self.get_argument("status", "200")), "As Asked")
        self.add_header("Set-Cookie", "a=1")
        self.add_header("Set-Cookie", "b=2")
        self.set_header("Server", "the site")
        self.set_header("Location", "/elsewhere")
        if self.get_status() not in (204, 304):
            self.write(f"{self.request.method} {self.request.body.decode()}")

    head = post = put = patch = delete = options = get


class Says(TCPServer):
    """Answers each request with the same bytes, and keeps the head of it."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer
        self.head = b""

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.head = await stream.read_until(b"\r\n\r\n")
        await stream.write(self.answer)
        stream.close()


class Hangs(TCPServer):
    """Never answers; says when so many have come."""

    def __init__(self, many: int = 1) -> None:
        super().__init__()
        self.missing = many
        self.come = asyncio.Event()

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.come.set()
        await stream.read_until_close()


@asynccontextmanager
async def both(proxy: Proxy, **seen: Any) -> AsyncIterator[tuple[str, str]]:
    """Run a site, and a proxy in front of it."""
    app = Application([("/.*", Site)], seen=seen.get("seen", []))
    async with running(app) as url, running(proxy.app) as place:
        yield url, place


async def ask(
    place: str, target: str, method: str = "GET", *lines: str, body: str = ""
) -> tuple[int, HTTPHeaders, bytes]:
    """Ask a proxy, byte by byte as this says; return its status, its headers and its body."""
    address = urlsplit(place)
    stream = await TCPClient().connect(str(address.hostname), int(address.port or 0))
    head = [f"{method} {target} HTTP/1.1", "Host: here", "Connection: close", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    await stream.write("\r\n".join([*head, "", body]).encode())
    answer = await stream.read_until_close()
    beginning, _, content = answer.partition(b"\r\n\r\n")
    status, _, fields = beginning.decode().partition("\r\n")
    return int(status.split()[1]), HTTPHeaders.parse(fields), content


class TestHandsOn:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def test_any_method_with_its_body(self, method: str) -> None:
        seen: list[Any] = []
        proxy = Proxy()
        async with both(proxy, seen=seen) as (url, place):
            status, _, content = await ask(place, f"{url}/a?b=c", method, body="words")
        assert (status, content) == (200, f"{method} words".encode())
        assert [request.uri for request in seen] == ["/a?b=c"]
        assert list(proxy.asked) == [f"{method} {url}/a?b=c"]

    async def test_a_head_has_the_length_and_no_body(self) -> None:
        async with both(Proxy()) as (url, place):
            _, headers, content = await ask(place, url + "/", "HEAD")
        assert (headers["Content-Length"], content) == ("5", b"")

    async def test_a_head_of_what_has_no_length_has_none(self) -> None:
        site = Says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        async with listening(site) as (host, port), running(Proxy().app) as place:
            _, headers, content = await ask(place, f"http://{host}:{port}/", "HEAD")
        assert "Content-Length" not in headers
        assert content == b""

    async def test_a_letter_of_the_address_as_the_bytes_that_it_was(self) -> None:
        site = Says(b"HTTP/1.1 200 OK\r\n\r\nall")
        async with listening(site) as (host, port), running(Proxy().app) as place:
            await ask(place, f"http://{host}:{port}/caf\u00e9?a=%20&b=(c)")
        assert site.head.startswith(b"GET /caf%C3%A9?a=%20&b=(c) HTTP/1.1\r\n")

    async def test_a_body_as_it_was_packed_and_no_mark_of_its_own(self) -> None:
        packed = gzip.compress(b"words")
        site = Says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed)
        async with listening(site) as (host, port), running(Proxy().app) as place:
            _, headers, content = await ask(place, f"http://{host}:{port}/")
        assert (headers["Content-Encoding"], content) == ("gzip", packed)
        assert "Etag" not in headers

    async def test_many_at_once(self) -> None:
        site = Hangs(many=30)
        async with listening(site) as (host, port):
            async with running(Proxy().app) as place:
                target = f"http://{host}:{port}/"
                asked = [asyncio.create_task(ask(place, target)) for _ in range(30)]
                async with asyncio.timeout(LONG):
                    await site.come.wait()
            await asyncio.wait(asked)
        assert {type(each.exception()) for each in asked} == {IndexError}

    async def test_whatever_client_the_program_has(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """libcurl would ask the proxy of the environment, and that may be this one."""
        pytest.importorskip("pycurl", reason="there is no pycurl for this Python")
        before = AsyncHTTPClient._save_configuration()
        AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")
        try:
            async with both(Proxy()) as (url, place):
                monkeypatch.setenv("http_proxy", place)
                assert (await ask(place, url + "/"))[0] == 200
        finally:
            AsyncHTTPClient._restore_configuration(before)

    @pytest.mark.parametrize("status", [201, 204, 302, 304, 404, 418, 500, 503])
    async def test_a_status_is_the_one_of_the_site(self, status: int) -> None:
        async with both(Proxy()) as (url, place):
            found, headers, _ = await ask(place, f"{url}/?status={status}")
        assert found == status
        # It follows nowhere.
        assert headers["Location"] == "/elsewhere"

    async def test_headers_but_for_those_of_one_hop(self) -> None:
        seen: list[Any] = []
        async with both(Proxy(), seen=seen) as (url, place):
            _, headers, _ = await ask(
                place,
                url + "/",
                "GET",
                "Cookie: a=1",
                "Proxy-Authorization: Basic x",
                "X-Twice: 1",
                "X-Twice: 2",
                "TE: trailers",
            )
        [request] = seen
        assert request.headers["Cookie"] == "a=1"
        assert request.headers.get_list("X-Twice") == ["1", "2"]
        assert "Proxy-Authorization" not in request.headers and "TE" not in request.headers
        assert request.host == urlsplit(url).netloc
        assert headers.get_list("Set-Cookie") == ["a=1", "b=2"]
        assert headers.get_list("Server") == ["the site"]

    async def test_who_waits_to_be_told_to_go_on_is_told_by_the_proxy(self) -> None:
        seen: list[Any] = []
        async with both(Proxy(), seen=seen) as (url, place):
            status, _, then = await ask(
                place, url + "/", "POST", "Expect: 100-continue", body="words"
            )
        assert status == 100
        assert then.startswith(b"HTTP/1.1 200 ") and then.endswith(b"POST words")
        [request] = seen
        assert "Expect" not in request.headers

    async def test_what_the_site_says_for_one_hop_ends_there(self) -> None:
        answer = (
            b"HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-Kept: 1\r\n\r\nall"
        )
        async with listening(Says(answer)) as (host, port), running(Proxy().app) as place:
            _, headers, content = await ask(place, f"http://{host}:{port}/")
        assert content == b"all"
        assert "X-Kept" in headers and "X-Hop" not in headers


class TestSaysNo:
    @pytest.mark.parametrize(
        ("target", "status"),
        [
            ("/", 404),
            ("http://localhost/", 403),
            ("http://127.0.0.1.example/", 403),
            ("http://0.0.0.0/", 403),
            ("http://2130706433/", 403),
            ("http:///", 403),
            ("http://ada@127.0.0.1/", 400),
            ("https://127.0.0.1/", 400),
            ("ftp://127.0.0.1/", 400),
            ("http://127.0.0.1:0/", 400),
            ("http://127.0.0.1:99999/", 400),
            ("http://127.0.0.1:port/", 400),
            ("http://[127.0.0.1/", 400),
            ("nothing", 400),
        ],
    )
    async def test_to_what_is_not_on_this_machine(self, target: str, status: int) -> None:
        proxy = Proxy()
        async with running(proxy.app) as place:
            found, _, content = await ask(place, target)
        assert found == status
        assert json.loads(content)["error"]
        assert not proxy.asked

    async def test_to_connect(self) -> None:
        async with running(Proxy().app) as place:
            assert (await ask(place, "127.0.0.1:80", "CONNECT"))[0] == 405

    async def test_to_itself_and_not_for_ever(self) -> None:
        async with running(Proxy().app) as place:
            assert (await ask(place, place + "/"))[0] == 404

    @pytest.mark.parametrize(
        ("line", "status"),
        [
            ("X-None: 1", 407),
            ("Proxy-Authorization: Basic YWRhOnNlY3JldA==", 200),
            ("Proxy-Authorization: basic  YWRhOnNlY3JldA==", 200),
            ("Proxy-Authorization: Basic YWRhOndyb25n", 407),
            ("Proxy-Authorization: Basic é", 407),
            ("Proxy-Authorization: Bearer YWRhOnNlY3JldA==", 407),
            ("Proxy-Authorization:", 407),
        ],
    )
    async def test_to_who_does_not_know_the_password(self, line: str, status: int) -> None:
        async with both(Proxy(password="secret")) as (url, place):
            found, headers, _ = await ask(place, url + "/", "GET", line)
        assert found == status
        assert ("Proxy-Authenticate" in headers) == (status == 407)


class TestBadSites:
    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (b"", 502),
            (b"nonsense\r\n\r\n", 502),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 502),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", 502),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n", 502),
            (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 502),
            (b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 999),
            (b"HTTP/1.1 200 OK\r\n\r\nall", 200),
        ],
    )
    async def test_the_answer_is_nonsense(self, answer: bytes, status: int) -> None:
        async with listening(Says(answer)) as (host, port), running(Proxy().app) as place:
            assert (await ask(place, f"http://{host}:{port}/"))[0] == status

    async def test_there_is_no_answer(self) -> None:
        async with (
            listening(Hangs()) as (host, port),
            running(Proxy(patience=0.1).app) as place,
        ):
            assert (await ask(place, f"http://{host}:{port}/"))[0] == 504

    async def test_nobody_listens(self) -> None:
        async with running(Proxy().app) as gone:
            pass
        async with running(Proxy().app) as place:
            assert (await ask(place, gone + "/"))[0] == 502

    async def test_the_proxy_ends_while_it_waits(self) -> None:
        site = Hangs()
        async with listening(site) as (host, port):
            async with running(Proxy().app) as place:
                asked = asyncio.create_task(ask(place, f"http://{host}:{port}/"))
                await site.come.wait()
            with pytest.raises(IndexError):
                await asked
        # Python complains of an error when it lets go of a future that nobody has asked.
        gc.collect()

    async def test_it_asks_nobody_after_its_end(self) -> None:
        proxy = Proxy()
        async with running(proxy.app):
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await proxy.client.fetch(HTTPRequest("http://127.0.0.1/"))


def test_it_keeps_the_last_addresses_and_no_more() -> None:
    proxy = Proxy()
    proxy.asked.extend(map(str, range(1000)))
    assert len(proxy.asked) == forward_proxy.MOST_KEPT
    assert proxy.asked[-1] == "999"


def test_the_environment_says_nothing_else_of_proxies_and_then_all_that_it_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    before = dict(os.environ)
    with pytest.raises(LookupError), forward_proxy.environment(http_proxy="http://here"):
        said = {name.lower(): value for name, value in os.environ.items()}
        assert said["http_proxy"] == "http://here"
        assert not {"no_proxy", "https_proxy", "all_proxy"} & said.keys()
        raise LookupError
    assert os.environ == before


def test_what_cannot_be_said_leaves_the_environment_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    before = dict(os.environ)
    wrong: Any = None
    with pytest.raises(TypeError), forward_proxy.environment(https_proxy="", http_proxy=wrong):
        pytest.fail("It was said.")
    assert os.environ == before


def test_the_environment_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    forward_proxy.forget_the_environment()
    assert not {"http_proxy", "ALL_PROXY"} & os.environ.keys()


class TestBadClients:
    @pytest.mark.parametrize("which", ["proxy", "counted"])
    def test_whatever_they_send(self, which: str) -> None:
        @asynccontextmanager
        async def start() -> AsyncIterator[str]:
            async with running(counted_connections.make_app()) as url:
                if which == "counted":
                    yield url
                else:
                    async with running(Proxy().app) as place:
                        wanted.append(f"{url}/")
                        yield place

        wanted: list[str] = ["/"]
        with serving(start) as server:
            path = wanted[-1]

            @settings(max_examples=25)
            @given(visits(http_requests([path, "/", "http://elsewhere.example/"])))
            def visited(visit: Visit) -> None:
                server.survives(visit, path)

            visited()
