"""libcurl as the client of Tornado: what it keeps, sends twice, goes through, and leaves."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import ssl
import subprocess
import sys
import textwrap
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream
from tornado.netutil import DefaultLoopResolver, Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler

from loopfilm import running
from stormy_demo.listening import listening
from stormy_demo.neighbours.counterparts import counted_connections
from stormy_demo.neighbours.counterparts.forward_proxy import Proxy
from tests.paths import ROOT

pycurl = pytest.importorskip("pycurl", reason="there is no pycurl for this Python")

from stormy_demo.neighbours.curl_client import HAS_HTTP2, curl_client  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

LONG = 60.0  # seconds that no machine is too busy for

Speaks = Callable[[IOStream], Awaitable[None]]


def option(name: str, value: Any) -> Callable[[Any], None]:
    """Set an option of libcurl on a request."""
    return lambda curl: curl.setopt(getattr(pycurl, name), value)


class Shop(RequestHandler):
    """Takes an order by POST, and fails before it answers."""

    def initialize(self, orders: list[bytes]) -> None:
        self.orders = orders

    def get(self) -> None:
        self.write("open")

    def post(self) -> None:
        self.orders.append(self.request.body)
        self.detach().close()


@asynccontextmanager
async def shop(orders: list[bytes]) -> AsyncIterator[str]:
    async with running(Application([("/", Shop, {"orders": orders})])) as url:
        yield url


@asynccontextmanager
async def speaking(speaks: Speaks) -> AsyncIterator[str]:
    """Run a server that reads the head of each request, and does then what it likes."""

    class Server(TCPServer):
        async def handle_stream(self, stream: IOStream, address: Any) -> None:
            await stream.read_until(b"\r\n\r\n")
            await speaks(stream)
            stream.close()

    async with listening(Server()) as (host, port):
        yield f"http://{host}:{port}/"


class Holds(TCPServer):
    """Counts who has come, and answers when all may go."""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 0
        self.simple_is_here = asyncio.Event()
        self.may_go = asyncio.Event()

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.connections += 1
        if b"User-Agent: Tornado" in await stream.read_until(b"\r\n\r\n"):
            self.simple_is_here.set()
        await self.may_go.wait()
        await stream.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        stream.close()


class TestKeptConnections:
    async def test_ten_fetches_are_ten_connections_for_the_simple_client_and_one_for_libcurl(
        self,
    ) -> None:
        simple = SimpleAsyncHTTPClient(force_instance=True)
        with curl_client() as curl:
            for client, expected in ((simple, (10, 1)), (curl, (1, 10))):
                async with running(counted_connections.make_app()) as url:
                    for _ in range(10):
                        response = await client.fetch(url)
                told = json.loads(response.body)
                assert (told["connection"], told["request"]) == expected
        simple.close()

    async def test_one_that_the_server_has_closed_is_replaced(self) -> None:
        answered: list[IOStream] = []

        async def answers_once(stream: IOStream) -> None:
            answered.append(stream)
            await stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        async with speaking(answers_once) as url:
            with curl_client() as client:
                for _ in range(3):
                    response = await client.fetch(url)
                    assert response.body == b"hi"
                post = await client.fetch(url, method="POST", body="a book")
                assert post.body == b"hi"
        assert len(answered) == 4

    @pytest.mark.parametrize("kept", range(4))
    async def test_a_post_that_gets_no_byte_is_sent_again_for_each_that_was_kept(
        self, kept: int
    ) -> None:
        orders: list[bytes] = []
        async with shop(orders) as url:
            with curl_client() as client:
                await asyncio.gather(*[client.fetch(url) for _ in range(kept)])
                with pytest.raises(HTTPClientError, match="599: Empty reply from server"):
                    await client.fetch(url, method="POST", body="a book")
        assert orders == [b"a book"] * (1 + kept)

    async def test_a_post_on_a_fresh_connection_is_sent_once(self) -> None:
        orders: list[bytes] = []
        async with shop(orders) as url:
            with curl_client() as client:
                await client.fetch(url)
                with pytest.raises(HTTPClientError, match="599: Empty reply from server"):
                    await client.fetch(
                        url,
                        method="POST",
                        body="a book",
                        prepare_curl_callback=option("FRESH_CONNECT", 1),
                    )
        assert orders == [b"a book"]

    async def test_the_simple_client_sends_a_post_once(self) -> None:
        orders: list[bytes] = []
        simple = SimpleAsyncHTTPClient(force_instance=True)
        async with shop(orders) as url:
            await simple.fetch(url)
            with pytest.raises(HTTPClientError, match="Stream closed"):
                await simple.fetch(url, method="POST", body="a book")
        simple.close()
        assert orders == [b"a book"]


@pytest.mark.skipif(not HAS_HTTP2, reason="this libcurl was built without HTTP/2")
class TestHttp2:
    @staticmethod
    def one_connection(curl: Any) -> None:
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        curl.setopt(pycurl.PIPEWAIT, 1)

    async def test_ten_at_once_are_ten_connections_and_by_http2_one(self) -> None:
        http2_server = pytest.importorskip("stormy_demo.neighbours.counterparts.http2_server")
        for settings, expected in (
            ({}, {"http": "1.1", "connections": 10}),
            ({"prepare_curl_callback": self.one_connection}, {"http": "2", "connections": 1}),
        ):
            async with http2_server.serving(together=10) as url:
                with curl_client(**settings) as client:
                    answers = await asyncio.gather(*[client.fetch(url) for _ in range(10)])
            assert {json.dumps(json.loads(a.body)) for a in answers} == {json.dumps(expected)}

    async def test_twenty_at_once_are_two_times_ten(self) -> None:
        http2_server = pytest.importorskip("stormy_demo.neighbours.counterparts.http2_server")
        async with http2_server.serving(together=10) as url:
            with curl_client(prepare_curl_callback=self.one_connection) as client:
                answers = await asyncio.gather(*[client.fetch(url) for _ in range(20)])
        assert {json.loads(answer.body)["connections"] for answer in answers} == {1}

    async def test_its_answers_are_like_others(self) -> None:
        http2_server = pytest.importorskip("stormy_demo.neighbours.counterparts.http2_server")
        async with http2_server.serving() as url:
            with curl_client(prepare_curl_callback=self.one_connection) as client:
                response = await client.fetch(url)
                missing = await client.fetch(f"{url}/nothing", raise_error=False)
        assert (response.code, response.reason) == (200, "OK")
        assert response.headers["Content-Type"] == "application/json"
        assert (missing.code, missing.reason) == (404, "Not Found")

    async def test_a_server_that_knows_http1_alone_is_an_error(self) -> None:
        async with running(counted_connections.make_app()) as url:
            with (
                curl_client(prepare_curl_callback=self.one_connection) as client,
                pytest.raises(HTTPClientError, match="599"),
            ):
                await client.fetch(url)


class TestManyAtOnce:
    async def test_the_eleventh_waits_for_one_of_ten(self) -> None:
        server = Holds()
        simple = SimpleAsyncHTTPClient(force_instance=True)
        async with listening(server) as (host, port):
            url = f"http://{host}:{port}/"
            with curl_client(request_timeout=LONG) as client:
                asked = [client.fetch(url) for _ in range(11)]
                async with asyncio.timeout(LONG):
                    while server.connections < 10:
                        await asyncio.sleep(0)
                    # An eleventh would have come before this one, which comes now.
                    asked.append(simple.fetch(url, request_timeout=LONG))
                    await server.simple_is_here.wait()
                assert server.connections == 10 + 1
                server.may_go.set()
                await asyncio.gather(*asked)
        simple.close()
        assert server.connections == len(asked)

    async def test_an_answer_is_not_kept(self) -> None:
        async with running(counted_connections.make_app()) as url:
            with curl_client() as client:
                answer = weakref.ref(await client.fetch(url))
                await is_served(client)
                gc.collect()
                assert answer() is None


class TestDefaults:
    async def test_they_hold_for_each_fetch_that_says_nothing_else(self) -> None:
        class Agent(RequestHandler):
            def get(self) -> None:
                self.write(self.request.headers["User-Agent"])

        async with running(Application([("/", Agent)])) as url:
            with curl_client(user_agent="ada") as client:
                assert (await client.fetch(url)).body == b"ada"
                assert (await client.fetch(url, user_agent="grace")).body == b"grace"

    @pytest.mark.parametrize(
        "name",
        ["proxy_hots", "max_clients", "method", "headers", "expect_100_continue", "url"],
    )
    def test_what_is_no_default_is_refused(self, name: str) -> None:
        with (
            pytest.raises(TypeError, match=f"takes no default for '{name}'"),
            curl_client(**{name: "1"}),
        ):
            pytest.fail("It was opened.")


class TestProxies:
    async def test_the_proxy_knows_the_whole_address(self) -> None:
        proxy = Proxy()
        async with running(counted_connections.make_app()) as url, running(proxy.app) as place:
            with curl_client(proxy_host="127.0.0.1", proxy_port=urlsplit(place).port) as client:
                response = await client.fetch(f"{url}/?token=abc")
        assert json.loads(response.body) == {"connection": 1, "request": 1}
        assert list(proxy.asked) == [f"GET {url}/?token=abc"]

    async def test_a_password_is_for_the_proxy(self) -> None:
        seen: list[HTTPHeaders] = []

        class Notes(RequestHandler):
            def get(self) -> None:
                seen.append(self.request.headers)

        proxy = Proxy(password="secret")
        async with running(Application([("/", Notes)])) as url, running(proxy.app) as place:
            with curl_client(
                proxy_host="127.0.0.1", proxy_port=urlsplit(place).port, proxy_username="ada"
            ) as client:
                for word, status in (("secret", 200), ("wrong", 407), ("", 407)):
                    response = await client.fetch(url, proxy_password=word, raise_error=False)
                    assert response.code == status
        assert len(proxy.asked) == 1
        assert [headers for headers in seen if "Proxy-Authorization" in headers] == []

    async def test_the_simple_client_refuses(self) -> None:
        simple = SimpleAsyncHTTPClient(force_instance=True)
        with pytest.raises(NotImplementedError, match="proxy_host not supported"):
            async with running(counted_connections.make_app()) as url:
                await simple.fetch(url, proxy_host="127.0.0.1", proxy_port=1)
        simple.close()

    @pytest.mark.parametrize(
        ("environment", "settings", "seen"),
        [
            ({}, {}, 1),
            ({"no_proxy": "127.0.0.1"}, {}, 0),
            ({"NO_PROXY": "127.0.0.1,localhost"}, {}, 0),
            ({"no_proxy": "*"}, {}, 0),
            ({}, {"prepare_curl_callback": option("PROXY", "")}, 0),
        ],
    )
    async def test_libcurl_goes_through_the_proxy_of_the_environment(
        self,
        environment: dict[str, str],
        settings: dict[str, Any],
        seen: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        proxy = Proxy()
        async with running(counted_connections.make_app()) as url, running(proxy.app) as place:
            for name, value in {"http_proxy": place, **environment}.items():
                monkeypatch.setenv(name, value)
            with curl_client(**settings) as client:
                await client.fetch(url)
        assert len(proxy.asked) == seen

    @pytest.mark.parametrize(
        ("settings", "seen"), [({}, 0), ({"prepare_curl_callback": option("NOPROXY", "")}, 1)]
    )
    async def test_an_exception_of_the_environment_is_one_from_the_proxy_of_a_fetch_too(
        self, settings: dict[str, Any], seen: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proxy = Proxy()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with running(counted_connections.make_app()) as url, running(proxy.app) as place:
            with curl_client(
                proxy_host="127.0.0.1", proxy_port=urlsplit(place).port, **settings
            ) as client:
                await client.fetch(url)
        assert len(proxy.asked) == seen

    async def test_the_simple_client_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        proxy = Proxy()
        simple = SimpleAsyncHTTPClient(force_instance=True)
        async with running(counted_connections.make_app()) as url, running(proxy.app) as place:
            monkeypatch.setenv("http_proxy", place)
            await simple.fetch(url)
        simple.close()
        assert not proxy.asked

    async def test_a_proxy_that_has_gone_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with running(counted_connections.make_app()) as url:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
            with (
                curl_client() as client,
                pytest.raises(HTTPClientError, match="599: Failed to connect"),
            ):
                await client.fetch(url)


class TestOtherEnds:
    """Those that answer badly, or not at all: one exception, and the next fetch is served."""

    async def test_nobody_listens(self) -> None:
        with curl_client() as client:
            with pytest.raises(HTTPClientError, match="599: Failed to connect"):
                await client.fetch(f"http://127.0.0.1:{closed_port()}/")
            await is_served(client)

    async def test_it_never_answers(self) -> None:
        async def hangs(stream: IOStream) -> None:
            await stream.read_until_close()

        async with speaking(hangs) as url:
            with curl_client() as client:
                with pytest.raises(HTTPClientError, match="599: Operation timed out"):
                    await client.fetch(url, request_timeout=0.1)
                await is_served(client)

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (b"", "Empty reply from server"),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                "bytes missing|transfer closed",
            ),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "599"),
            (b"nonsense\r\n\r\n", "599"),
            (b"HTTP/9.9 200 OK\r\n\r\n", "599"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", "599"),
        ],
    )
    async def test_it_leaves_in_the_middle_or_answers_nonsense(
        self, answer: bytes, message: str
    ) -> None:
        async def answers(stream: IOStream) -> None:
            await stream.write(answer)

        async with speaking(answers) as url:
            with curl_client() as client:
                with pytest.raises(HTTPClientError, match=message):
                    await client.fetch(url)
                await is_served(client)

    async def test_the_end_of_the_connection_is_the_end_of_a_body_without_length(self) -> None:
        async def answers(stream: IOStream) -> None:
            await stream.write(b"HTTP/1.1 200 OK\r\n\r\nall")

        async with speaking(answers) as url:
            with curl_client() as client:
                assert (await client.fetch(url)).body == b"all"

    async def test_a_body_without_end_is_cut_off(self) -> None:
        async def answers(stream: IOStream) -> None:
            await stream.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not stream.closed():
                await asyncio.wait([stream.write(b"x" * 65_536)])

        async with speaking(answers) as url:
            with curl_client() as client:
                client.max_body_size = 1_000_000
                with pytest.raises(HTTPClientError, match="599: body exceeded"):
                    await client.fetch(url)


class TestItLacks:
    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            ({"method": "POST", "body_producer": lambda write: write(b"x")}, ValueError),
            ({"ssl_options": ssl.create_default_context()}, ValueError),
            ({"streaming_callback": asyncio.sleep}, TypeError),
        ],
        ids=["body_producer", "ssl_options", "streaming_callback"],
    )
    async def test_what_the_simple_client_has(
        self, settings: dict[str, Any], error: type[Exception]
    ) -> None:
        async with running(counted_connections.make_app()) as url:
            with curl_client() as client:
                with pytest.raises(error):
                    await client.fetch(url, **settings)
                await is_served(client)

    async def test_it_asks_no_resolver_of_yours(self) -> None:
        class NeverAsked(DefaultLoopResolver):
            async def resolve(self, *args: Any, **kwargs: Any) -> Any:
                raise OSError("was asked")

        before = Resolver._save_configuration()
        Resolver.configure(NeverAsked)
        try:
            async with running(counted_connections.make_app()) as url:
                simple = SimpleAsyncHTTPClient(force_instance=True)
                with pytest.raises(OSError, match="was asked"):
                    await simple.fetch(url)
                simple.close()
                with curl_client() as client:
                    await client.fetch(url)
        finally:
            Resolver._restore_configuration(before)


class TestClosing:
    async def test_requests_under_way_and_in_line_fail_and_nothing_is_left(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        come: list[IOStream] = []

        async def hangs(stream: IOStream) -> None:
            come.append(stream)
            await stream.read_until_close()

        async with speaking(hangs) as url:
            before = open_descriptors()
            with curl_client(request_timeout=LONG) as client:
                asked = [client.fetch(url) for _ in range(12)]
                async with asyncio.timeout(LONG):
                    while len(come) < 10:
                        await asyncio.sleep(0)
            errors = await asyncio.gather(*asked, return_exceptions=True)
            assert {str(error) for error in errors} == {"HTTP 599: The client was closed"}
            come.clear()
            # The other ends find out in one of the next turns.
            await falls_to(before, open_descriptors)

    async def test_a_request_that_was_not_begun_fails_as_well(self) -> None:
        with curl_client() as client:
            asked = client.fetch("http://127.0.0.1:1/")
        with pytest.raises(HTTPClientError, match="The client was closed"):
            await asked

    async def test_whoever_was_cancelled_is_not_told(self) -> None:
        with curl_client() as client:
            asked = client.fetch("http://127.0.0.1:1/")
            asked.cancel()
        assert asked.cancelled()

    async def test_an_interruption_in_the_middle_of_many_leaves_nothing(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        http2_server = pytest.importorskip("stormy_demo.neighbours.counterparts.http2_server")
        before, tasks = open_descriptors(), asyncio.all_tasks()

        async def wait_in_vain() -> None:
            async with http2_server.serving(together=100) as url:
                with curl_client() as client:
                    begun.set()
                    await asyncio.gather(*[client.fetch(url) for _ in range(12)])

        begun = asyncio.Event()
        waiting = asyncio.create_task(wait_in_vain())
        await begun.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert asyncio.all_tasks() == tasks
        await falls_to(before, open_descriptors)

    async def test_one_request_may_be_sent_twice_at_once(self) -> None:
        async with running(counted_connections.make_app()) as url:
            with curl_client() as client:
                request = HTTPRequest(url)
                answers = await asyncio.gather(client.fetch(request), client.fetch(request))
        assert [answer.code for answer in answers] == [200, 200]

    async def test_an_exception_closes_it_and_comes_out(self) -> None:
        async with running(counted_connections.make_app()) as url:
            with pytest.raises(LookupError, match="lost"), curl_client() as client:
                await client.fetch(url)
                raise LookupError("lost")
            with pytest.raises(RuntimeError, match="closed"):
                await client.fetch(url)

    async def test_another_client_of_the_loop_is_not_closed(self) -> None:
        async with running(counted_connections.make_app()) as url:
            with curl_client() as mine:
                with curl_client() as client:
                    assert client is not mine
                await is_served(mine)
            await AsyncHTTPClient().fetch(url)

    async def test_it_may_be_closed_twice(self) -> None:
        with curl_client() as client:
            asked = client.fetch("http://127.0.0.1:1/")
            client.close()
            with pytest.raises(HTTPClientError, match="The client was closed"):
                await asked

    async def test_where_nobody_waits_nobody_complains(self) -> None:
        with curl_client() as client:
            client.fetch("http://127.0.0.1:1/")
        # Python complains of an error when it lets go of a future that nobody has asked.
        del client
        gc.collect()

    async def test_pieces_come_until_it_is_closed_and_none_after(self) -> None:
        pieces: list[bytes] = []

        async def sends(stream: IOStream) -> None:
            await stream.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not stream.closed():
                await asyncio.wait([stream.write(b"x" * 1_000_000)])

        def hears(piece: bytes) -> None:
            pieces.append(piece)
            # More have come already, of which it would hear in a moment.
            client.close()

        async with speaking(sends) as url:
            with (
                curl_client(request_timeout=LONG) as client,
                pytest.raises(HTTPClientError, match="The client was closed"),
            ):
                await client.fetch(url, streaming_callback=hears)
            await is_served(SimpleAsyncHTTPClient())
        assert len(pieces) == 1


def test_without_pycurl_it_says_what_to_install() -> None:
    script = """
        import sys

        sys.modules["pycurl"] = None
        try:
            import stormy_demo.neighbours.curl_client
        except ImportError as error:
            print(error.name, str(error).rpartition(": ")[2])
    """
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert (said.stdout, said.stderr) == ("pycurl pip install pycurl\n", "")


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


async def falls_to(before: int, open_descriptors: Callable[[], int]) -> None:
    """Wait until what was opened is closed."""
    async with asyncio.timeout(LONG):
        while open_descriptors() > before:
            await asyncio.sleep(0)


async def is_served(client: AsyncHTTPClient) -> None:
    async with running(counted_connections.make_app()) as url:
        assert (await client.fetch(url)).code == 200
