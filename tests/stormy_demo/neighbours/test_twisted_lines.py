"""A shop on Tornado and its stock on Twisted, who ask each other, and those who ask them."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import bind_sockets
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler

from loopfilm import film, running
from stormy_demo.neighbours import twisted_lines
from stormy_demo.neighbours.stock import LONGEST, Stock, StockServer
from stormy_demo.neighbours.twisted_lines import Shop, make_app
from stormy_demo.program import main
from tests import quick_start
from tests.bad_clients import (
    Visit,
    connect,
    http_requests,
    read_to_the_end,
    serving,
    talk,
    visits,
)
from tests.paths import ROOT

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

# Seconds after which a test fails and does not hang.
LONG = 20.0
TEA = b"12 tea, 3 euros each\n"


async def order(url: str, thing: str) -> tuple[int, Any]:
    response = await AsyncHTTPClient().fetch(
        f"{url}/order?of={quote(thing, safe='')}", raise_error=False
    )
    return response.code, json_decode(response.body)


@asynccontextmanager
async def open_shop(**settings: Any) -> AsyncIterator[tuple[str, Shop]]:
    """Run a shop that somebody has come to, so that its stock knows where it is."""
    app = Shop(StockServer(**settings))
    async with running(app) as url:
        await AsyncHTTPClient().fetch(url)
        yield url, app


@asynccontextmanager
async def stream_to(app: Shop) -> AsyncIterator[IOStream]:
    stream = await TCPClient().connect(*app.stock.place)
    try:
        yield stream
    finally:
        stream.close()


class TestShop:
    async def test_asks_its_stock_which_asks_the_shop(self) -> None:
        async with open_shop() as (url, _):
            assert await order(url, "tea") == (200, {"stock": "12 tea, 3 euros each"})
            assert await order(url, "gold") == (200, {"stock": "error there is no such thing"})

    async def test_nobody_holds_the_loop_meanwhile(self) -> None:
        with film() as f:
            async with running(make_app(delay=0.1)) as url:
                await order(url, "tea")
        assert f.lanes == ["/order", "stock", "/price"]
        assert not f.held

    async def test_a_stock_that_blocks_holds_the_loop_for_both(self) -> None:
        class Blocks(Stock):
            def lineReceived(self, line: bytes) -> None:
                time.sleep(0.5)
                super().lineReceived(line)

        async with open_shop() as (url, app):
            app.stock.protocol = Blocks
            with film() as f:
                assert await order(url, "tea") == (200, {"stock": "12 tea, 3 euros each"})
        assert f.held == ["stock"]

    async def test_serves_many_at_once(self) -> None:
        async with open_shop() as (url, _):
            answers = await asyncio.gather(*[order(url, "tea") for _ in range(20)])
            assert {code for code, _ in answers} == {200}

    async def test_has_a_place_for_each_who_waits(self) -> None:
        """A client of Tornado's for HTTP asks ten at once, unless it is told of more."""
        together = asyncio.Barrier(15)

        class Waits(RequestHandler):
            async def get(self) -> None:
                await asyncio.wait_for(together.wait(), LONG)
                self.write({"euros": 3})

        async with (
            open_shop() as (_, app),
            running(Application([("/price", Waits)])) as app.stock.shop,
        ):
            prices = [app.stock.price(b"tea") for _ in range(15)]
            answers = await asyncio.wait_for(asyncio.gather(*prices), LONG / 2)
            assert answers == [("tea", 3)] * 15

    async def test_can_be_reached_by_ipv6(self) -> None:
        if not socket.has_ipv6:
            pytest.skip("there is no IPv6 here")
        app = make_app()
        try:
            sockets = bind_sockets(0, "::1")
        except OSError:
            pytest.skip("there is no IPv6 here")
        server = HTTPServer(app)
        with app.with_its_stock():
            server.add_sockets(sockets)
            try:
                url = f"http://[::1]:{sockets[0].getsockname()[1]}"
                assert await order(url, "tea") == (200, {"stock": "12 tea, 3 euros each"})
                assert app.stock.shop == url
            finally:
                server.stop()
                await server.close_all_connections()

    async def test_says_so_when_the_stock_takes_too_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Hangs(Stock):
            def lineReceived(self, line: bytes) -> None:
                pass

        impatient = partial(twisted_lines.ask, patience=0.05)
        monkeypatch.setattr(twisted_lines, "ask", impatient)
        async with open_shop() as (url, app):
            app.stock.protocol = Hangs
            assert await order(url, "tea") == (502, {"error": "The stock does not answer."})

    async def test_says_on_its_page_where_the_stock_is(self) -> None:
        async with open_shop() as (url, app):
            page = (await AsyncHTTPClient().fetch(url)).body.decode()
            assert f"port {app.stock.place[1]}" in page

    @pytest.mark.parametrize(
        "query", ["", "of=", "of=tea&of=tea", "of=%ff", "of=tea%0Agold", "of=" + "x" * 65]
    )
    @pytest.mark.parametrize("path", ["/order", "/price"])
    async def test_refuses_what_is_no_name_in_a_sentence(self, path: str, query: str) -> None:
        async with open_shop() as (url, app):
            response = await AsyncHTTPClient().fetch(f"{url}{path}?{query}", raise_error=False)
            assert response.code == 400
            assert "of" in json_decode(response.body)["error"]
            assert not app.stock.clients

    async def test_says_so_when_the_stock_has_gone(self) -> None:
        async with open_shop() as (url, app):
            app.stock.place = ("127.0.0.1", unused_port())
            assert await order(url, "tea") == (502, {"error": "The stock does not answer."})

    async def test_says_so_when_the_stock_leaves_in_the_middle(self) -> None:
        class Leaves(Stock):
            def lineReceived(self, line: bytes) -> None:
                self.transport.abortConnection()

        async with open_shop() as (url, app):
            app.stock.protocol = Leaves
            assert await order(url, "tea") == (502, {"error": "The stock does not answer."})

    async def test_ends_while_everybody_waits_and_leaves_nothing(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        before, tasks = open_descriptors(), asyncio.all_tasks()
        app = make_app(delay=5)
        async with running(app) as url:
            waiting = asyncio.create_task(order(url, "tea"))
            async with asyncio.timeout(LONG):
                while not any(client.is_asking for client in app.stock.clients):
                    await asyncio.sleep(0)
        await asyncio.wait(asyncio.all_tasks() - tasks)
        assert isinstance(waiting.exception(), HTTPStreamClosedError)
        assert not app.stock.clients
        assert open_descriptors() <= before
        # A timer of one who is gone would have had Twisted make another.
        assert "twisted.internet.reactor" not in sys.modules

    async def test_closes_what_asks_for_prices(self) -> None:
        async with open_shop() as (_, app):
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await app.stock.client.fetch("http://127.0.0.1:9")

    async def test_a_second_one_on_the_same_port_is_told_so(self) -> None:
        async with open_shop() as (_, app):
            port = app.stock.place[1]
        refused = pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {port}")
        with socket.create_server(("127.0.0.1", port)), refused:
            async with running(make_app(lines=port)):
                pass
        async with running(make_app()):
            pass


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class TestStock:
    async def test_answers_lines_that_come_together_in_their_order(self) -> None:
        async with open_shop() as (_, app), stream_to(app) as stream:
            await stream.write(b"tea\ngold\r\nmilk\n")
            assert await stream.read_until(b"\n") == TEA
            assert await stream.read_until(b"\n") == b"error there is no such thing\n"
            assert await stream.read_until(b"\n") == b"7 milk, 1 euros each\n"

    async def test_a_line_may_come_byte_by_byte(self) -> None:
        async with open_shop() as (_, app), stream_to(app) as stream:
            stream.set_nodelay(True)
            for byte in b"tea\n":
                await stream.write(bytes([byte]))
            assert await stream.read_until(b"\n") == TEA

    async def test_bytes_that_are_no_text_are_told_so_and_the_next_is_answered(self) -> None:
        async with open_shop() as (_, app), stream_to(app) as stream:
            await stream.write(b"\xff\n\ntea\n")
            assert await stream.read_until(b"\n") == b"error this is not UTF-8\n"
            assert await stream.read_until(b"\n") == b"error there is no such thing\n"
            assert await stream.read_until(b"\n") == TEA

    @pytest.mark.parametrize("line", [b"x" * (LONGEST + 1) + b"\n", b"x" * (LONGEST + 2)])
    async def test_a_line_that_is_too_long_closes_the_connection(self, line: bytes) -> None:
        async with open_shop() as (url, app), stream_to(app) as stream:
            await stream.write(line)
            assert await stream.read_until_close() == b""
            assert (await order(url, "tea"))[0] == 200

    async def test_a_silent_client_is_given_up(self) -> None:
        async with open_shop(patience=0.05) as (_, app), stream_to(app) as stream:
            assert await stream.read_until_close() == b""

    async def test_a_client_that_is_silent_after_an_answer_is_given_up(self) -> None:
        async with open_shop(patience=0.5) as (_, app), stream_to(app) as stream:
            await stream.write(b"gold\n")
            assert await stream.read_until(b"\n") == b"error there is no such thing\n"
            with pytest.raises(StreamClosedError):
                await asyncio.wait_for(stream.read_until(b"\n"), LONG)

    async def test_a_client_whose_answer_takes_long_is_not_given_up(self) -> None:
        app = Shop(StockServer(patience=0.5), delay=0.8)
        async with running(app) as url, stream_to(app) as stream:
            app.stock.shop = url
            await stream.write(b"tea\n")
            assert await stream.read_until(b"\n") == TEA

    async def test_a_client_that_does_not_read_is_not_read_either_and_given_up(self) -> None:
        class Short(StockServer):
            async def price(self, line: bytes) -> tuple[str, int]:
                return "tea", 10**1000

        app = Shop(Short(patience=0.5))
        async with running(app):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(app.stock.place)
                client.setblocking(False)
                async with asyncio.timeout(LONG):
                    gone = False
                    while not gone:
                        try:
                            client.send(b"tea\n" * 100)
                        except BlockingIOError:
                            pass
                        except ConnectionError:
                            gone = True
                        await asyncio.sleep(0)
        assert not app.stock.clients

    async def test_a_client_that_leaves_in_the_middle_does_nobody_harm(self) -> None:
        async with open_shop() as (url, app):
            async with stream_to(app) as stream:
                await stream.write(b"tea\nmilk\nte")
            assert (await order(url, "tea"))[0] == 200

    async def test_says_so_when_nobody_has_come_to_the_shop(self) -> None:
        app = make_app()
        async with running(app), stream_to(app) as stream:
            await stream.write(b"tea\n")
            assert (await stream.read_until(b"\n")).startswith(b"error the shop has not opened")

    async def test_says_so_when_the_shop_does_not_sell_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(twisted_lines.PRICES, "tea")
        async with open_shop() as (_, app), stream_to(app) as stream:
            await stream.write(b"tea\n")
            assert await stream.read_until(b"\n") == b"error this is not for sale\n"

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"{}",
            b"[]",
            b"\xff",
            b"[" * 100_000,
            *(b'{"euros": %s}' % e for e in (b'"many"', b"1e999", b"true", b"-3", b"9" * 4000)),
        ],
        ids=lambda answer: answer[:20].decode(errors="replace"),
    )
    async def test_says_so_when_the_shop_talks_nonsense(self, answer: bytes) -> None:
        class Nonsense(RequestHandler):
            def get(self) -> None:
                self.write(answer)

        async with open_shop() as (_, app), stream_to(app) as stream:
            async with running(Application([("/price", Nonsense)])) as app.stock.shop:
                await stream.write(b"tea\n")
                assert await stream.read_until(b"\n") == b"error the shop does not answer\n"
            await stream.write(b"tea\n")
            assert await stream.read_until(b"\n") == b"error the shop does not answer\n"

    @pytest.mark.excuse_noise("")
    async def test_a_mistake_of_its_own_is_logged_and_the_client_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(StockServer):
            async def price(self, line: bytes) -> tuple[str, int]:
                return "no such thing", 3

        app = Shop(Broken())
        async with running(app), stream_to(app) as stream:
            await stream.write(b"tea\n")
            assert await stream.read_until(b"\n") == b"error something went wrong in here\n"
        assert "KeyError" in caplog.text

    @pytest.mark.excuse_noise("")
    async def test_a_mistake_in_what_complains_is_logged_too_and_ends_the_connection(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A client that counts its answers must not wait for one that never comes."""

        class Broken(Stock):
            def complain(self, failure: object) -> None:
                raise ZeroDivisionError

        app = make_app()
        app.stock.protocol = Broken
        async with running(app), stream_to(app) as stream:
            await stream.write(b"gold\ntea\n")
            answer = b"error something went wrong in here\n"
            assert await asyncio.wait_for(stream.read_until_close(), LONG) == answer
        assert "ZeroDivisionError" in caplog.text


@asynccontextmanager
async def stock_of_a_shop() -> AsyncIterator[str]:
    async with open_shop() as (_, app):
        yield "{}:{}".format(*app.stock.place)


NAMES = st.sampled_from(
    [b"tea", b"gold", b"", b"\xff", b"\x00", b"te a", b"x" * 70, "é".encode()]
)
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\n\n", b"\r", b""])


def test_the_stock_survives_every_client() -> None:
    with serving(stock_of_a_shop) as server:

        def is_served() -> None:
            with connect(server.url) as other:
                other.sendall(b"tea\n")
                assert other.recv(100) == TEA

        lines = st.lists(st.builds(bytes.__add__, NAMES, ENDS), max_size=8).map(b"".join)

        @settings(max_examples=40)
        @given(visits(lines))
        def visit(what: Visit) -> None:
            answers = talk(server.url, what, is_served).splitlines(keepends=True)
            assert all(each == TEA or each.startswith(b"error ") for each in answers), answers
            assert all(each.endswith(b"\n") for each in answers), answers
            assert len(answers) <= b"".join(what.pieces).count(b"\n")
            assert not server.complaints, server.complaints

        visit()


def test_a_client_that_sends_all_and_then_its_end_is_answered() -> None:
    with serving(stock_of_a_shop) as server, connect(server.url) as client:
        client.sendall(b"tea\ngold\nte")
        client.shutdown(socket.SHUT_WR)
        assert read_to_the_end(client) == TEA + b"error there is no such thing\n"


def test_the_shop_survives_every_client() -> None:
    with serving(lambda: running(make_app())) as server:

        @settings(max_examples=40)
        @given(visits(http_requests(["/", "/order", "/price", "/order?of=tea"], ["of"])))
        def visit(what: Visit) -> None:
            server.survives(what, "/order?of=tea")

        visit()


class TestProgram:
    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
    def test_ends_with_both_servers(self, signum: int) -> None:
        command = [sys.executable, "-m", "stormy_demo.neighbours.twisted_lines"]
        with quick_start.Popen(
            [*command, "--port=0", "--logging=warning"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            try:
                assert program.stdout
                url = program.stdout.readline().split()[2]
                with connect(url) as shop:
                    shop.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
                    page = read_to_the_end(shop).decode()
                port = page.partition("port ")[2].partition(".")[0]
                with connect(f"{urlsplit(url).hostname}:{port}") as stock:
                    stock.sendall(b"tea\n")
                    assert stock.recv(100) == TEA
                    program.send_signal(signum)
                    assert read_to_the_end(stock) == b""
                out, err = program.communicate(timeout=300)
            finally:
                program.kill()
        assert (program.returncode, out, err) == (0, "stopped\n", "")

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("--lines=-1", "lines 65535"),
            ("--lines=65536", "lines 65535"),
            ("--lines=many", "--lines=many"),
            ("--delay=-1", "delay 5"),
            ("--delay=nan", "delay 5"),
        ],
    )
    def test_refuses_an_option_in_one_sentence(
        self, option: str, words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(make_app, ["", "--logging=none", option]) == 2
        out, err = capsys.readouterr()
        assert len(err.splitlines()) == 1
        assert all(word in err for word in words.split())
        assert out == ""

    def test_says_so_when_the_port_of_the_lines_is_taken(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            assert main(make_app, ["", "--logging=none", "--port=0", f"--lines={port}"]) == 1
        said = capsys.readouterr().err
        assert f"port {port}" in said and said.endswith("; --lines=0 picks another\n")
