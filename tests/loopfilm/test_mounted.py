"""A server that is running can be asked for a film of its next seconds."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

import loopfilm
from loopfilm import film, mounted, running, steps
from loopfilm.page import of_film
from tests.loopfilm.servers import HANGS, clock, recorded, request

RUN = asyncio.Handle._run
SHORT = "/loopfilm?seconds=0.1"


async def until_filmed() -> None:
    while asyncio.Handle._run is RUN:
        await asyncio.sleep(0)


async def until_not_filmed() -> None:
    while asyncio.Handle._run is not RUN:
        await asyncio.sleep(0.01)


class Blocks(RequestHandler):
    async def get(self) -> None:
        await until_filmed()
        # The turn in which the film begins, or the one after it.
        await asyncio.sleep(0)
        clock.block()


class BlocksUntilSeen(RequestHandler):
    async def get(self) -> None:
        await until_filmed()
        await asyncio.sleep(0)
        assert steps._patch is not None
        step = steps._patch.loops[asyncio.get_running_loop()].step
        assert step is not None
        time.sleep(0.1)
        while step.looks.since != step.since or not step.looks.places:
            time.sleep(0.05)


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


def application(**settings: Any) -> Application:
    routes = [("/blocks", Blocks), ("/seen", BlocksUntilSeen), ("/hello", Hello)]
    entry = loopfilm.handler(most_seconds=HANGS)
    return Application([*routes, entry], log_function=lambda _: None, **settings)


@asynccontextmanager
async def listening(app: Application) -> AsyncIterator[str]:
    """As `app.listen` does it, so that nothing of ours is around the application."""
    [sock] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app)
    server.add_sockets([sock])
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()


async def get(url: str, **options: Any) -> HTTPResponse:
    options = {"request_timeout": HANGS, "raise_error": False, **options}
    return await AsyncHTTPClient().fetch(url, **options)


async def page_of(app: Application, film: str, *visits: str) -> str:
    """Let visitors come, have a film made meanwhile, and return what is answered."""
    async with listening(app) as url:
        visitors = [asyncio.ensure_future(get(url + visit)) for visit in visits]
        response = await get(url + film)
        assert response.code == 200, response.body
        await asyncio.gather(*visitors)
    return response.body.decode()


def words_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.usefixtures("measured_by_hand")
async def test_the_page_says_who_held_the_loop() -> None:
    page = await page_of(application(), SHORT, "/blocks?user=ada")
    assert "<h1>ada: alone. ada held the loop.</h1>" in page
    assert "<svg " in page
    assert "Who held the loop who where times in all at most ada nobody saw where 1" in (
        words_of(page)
    )


def test_the_page_says_that_many_short_steps_kept_the_loop_busy() -> None:
    ada = request("ada")
    steps = [(ada, number / 10, (number + 1) / 10) for number in range(60)]
    words = words_of(of_film(recorded(*steps)))
    assert "ada: alone. Nobody held the loop. No step was longer than 0.25 s, but" in words
    assert "the longest step took 0.1 s. &red=0.05 shows them." in words


def test_the_page_says_that_only_other_work_held_the_loop() -> None:
    f = recorded((request("ada"), 0.0, 0.1), (None, 1.0, 2.0))
    assert "<h1>ada: alone. Only other work held the loop.</h1>" in of_film(f)


async def test_the_page_says_where() -> None:
    page = await page_of(application(), f"{SHORT}&red=0.05", "/seen?user=ada")
    row = r"ada test_mounted.py:\d+, time.sleep\(0.[01]5?\) 1 [\d.]+ s [\d.]+ s"
    assert re.search(row, words_of(page))


@pytest.mark.usefixtures("measured_by_hand")
async def test_the_film_can_be_had_as_a_trace_and_as_a_text() -> None:
    trace = await page_of(application(), f"{SHORT}&format=trace", "/blocks?user=ada")
    assert "held the loop" in {event["name"] for event in json.loads(trace)["traceEvents"]}
    text = await page_of(application(), f"{SHORT}&format=text", "/blocks?user=ada")
    assert text.startswith("ada: alone. ada held the loop.\n")
    assert text.endswith("\n")


@pytest.mark.usefixtures("measured_by_hand")
@pytest.mark.parametrize("run", [listening, running])
async def test_the_request_of_the_film_is_not_in_it(run: Any) -> None:
    async with run(application()) as url:
        page = (await get(url + SHORT)).body.decode()
    assert "<h1>Nobody asked for anything.</h1>" in page
    assert "/loopfilm" not in words_of(page)


@pytest.mark.usefixtures("measured_by_hand")
async def test_the_lanes_of_others_are_named_as_the_application_says() -> None:
    app = application(lane=lambda request: request.path.strip("/"))
    page = await page_of(app, SHORT, "/blocks")
    assert "<h1>blocks: alone. blocks held the loop.</h1>" in page


@pytest.mark.usefixtures("measured_by_hand")
async def test_what_a_client_sends_is_only_text() -> None:
    page = await page_of(application(), SHORT, "/blocks?user=%3Cb%3E%26%22%07")
    assert "<b>" not in page
    assert "\x07" not in page
    assert '<b>&"\N{REPLACEMENT CHARACTER}: alone.' in words_of(page)


async def test_of_many_steps_the_first_are_kept() -> None:
    with film() as f:
        f.record.most_steps = 10
        while not f.record.left_out:
            await asyncio.sleep(0)
    assert "short steps at the end are left out." in f.svg()


async def test_it_is_drawn_where_it_holds_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(_: loopfilm.Film) -> str:
        return f"drawn by {threading.current_thread().name}"

    monkeypatch.setitem(mounted.FORMATS, "text", ("text/plain", drawn))
    text = await page_of(application(), f"{SHORT}&format=text")
    assert text.startswith("drawn by ")
    assert threading.current_thread().name not in text


async def test_pages_need_nothing_but_themselves() -> None:
    async with listening(application()) as url:
        for path in ("/loopfilm", SHORT):
            response = await get(url + path)
            page = response.body.decode()
            assert "<script" not in page
            assert not re.search(r"(src|href|url)\W*(https?:|//)", page)
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["Cache-Control"] == "no-store"
            assert "prefers-color-scheme: dark" in page
            assert 'name="viewport"' in page


async def test_without_seconds_and_for_head_it_says_how_to_use_it() -> None:
    start_request = HTTPServer.start_request
    async with listening(application()) as url:
        response = await get(f"{url}/loopfilm")
        assert response.code == 200
        assert "/loopfilm?seconds=5" in words_of(response.body.decode())
        response = await get(url + SHORT, method="HEAD")
        assert response.code == 200
        assert response.body == b""
        # Nothing is patched as long as nobody films.
        assert asyncio.Handle._run is RUN
        assert HTTPServer.start_request is start_request


async def test_films_may_be_shorter_than_a_step_that_holds_the_loop() -> None:
    async with listening(Application([loopfilm.handler(most_seconds=0.1)])) as url:
        assert (await get(url + SHORT)).code == 200
        assert (await get(f"{url}{SHORT}&red=0.3")).code == 400


@pytest.mark.parametrize("path", ["/debug/(film|loop)", "(?P<where>/debug)/film", "^/.*/film"])
async def test_a_path_may_have_groups(path: str) -> None:
    async with listening(Application([loopfilm.handler(path)])) as url:
        for query in ("", "?seconds=0.01"):
            assert (await get(f"{url}/debug/film{query}")).code == 200
        assert (await get(f"{url}/debug/film", method="HEAD")).code == 200


async def test_one_film_is_made_at_a_time() -> None:
    async with listening(application()) as url:
        first = asyncio.ensure_future(get(f"{url}/loopfilm?seconds={HANGS / 2}"))
        await until_filmed()
        second = await get(url + SHORT)
        assert second.code == 409
        assert second.body == b"Somebody else is filming this loop: ask again later.\n"
        first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await until_not_filmed()


async def test_a_client_that_goes_away_ends_its_film() -> None:
    async with listening(application()) as url:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /loopfilm?seconds={HANGS} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        await until_filmed()
        writer.close()
        await until_not_filmed()
        response = await get(url + SHORT)
        assert response.code == 200


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("seconds=nan", f"seconds is a number above 0, {HANGS:g} at most, not 'nan'."),
        ("seconds=0", "not '0'. For example: /loopfilm?seconds=1"),
        ("seconds=-1", "not '-1'."),
        ("seconds=inf", "not 'inf'."),
        ("seconds=601", "not '601'."),
        ("seconds=", "not ''."),
        ("seconds=five", "not 'five'."),
        ("seconds=1&red=0", "red is a number above 0, 600 at most, not '0'."),
        ("seconds=1&format=x", "format is one of html, trace, json, text, not 'x'."),
    ],
)
async def test_a_question_that_is_wrong(query: str, said: str) -> None:
    async with listening(application()) as url:
        response = await get(f"{url}/loopfilm?{query}")
    assert response.code == 400
    assert said in response.body.decode()


class TestFromThisMachineOnly:
    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("X-Forwarded-For", "127.0.0.1", "came through a proxy: it has X-Forwarded-For."),
            ("X-Real-Ip", "127.0.0.1", "came through a proxy: it has X-Real-Ip."),
            ("Forwarded", "for=127.0.0.1", "came through a proxy: it has Forwarded."),
            ("CF-Connecting-IP", "127.0.0.1", "through a proxy: it has Cf-Connecting-Ip."),
            ("X-Client-IP", "127.0.0.1", "through a proxy: it has X-Client-Ip."),
            ("True-Client-IP", "127.0.0.1", "through a proxy: it has True-Client-Ip."),
            ("X-Original-Forwarded-For", "127.0.0.1", "it has X-Original-Forwarded-For."),
            ("Host", "rebound.example", "is for another host: ask for it at 127.0.0.1"),
            ("Sec-Fetch-Site", "cross-site", "was sent by a page of another site"),
            ("Sec-Fetch-Site", "same-site", "was sent by a page of another site"),
        ],
    )
    @pytest.mark.parametrize("path", ["/loopfilm", SHORT])
    async def test_a_proxy_may_speak_for_anybody(
        self, path: str, name: str, value: str, said: str
    ) -> None:
        async with listening(application()) as url:
            response = await get(url + path, headers={name: value})
        assert response.code == 403
        assert said in response.body.decode()

    @pytest.mark.parametrize("path", ["/loopfilm", SHORT])
    async def test_a_proxy_that_adds_no_header_may_speak_an_old_protocol(
        self, path: str
    ) -> None:
        async with listening(application()) as url:
            host = url.removeprefix("http://")
            reader, writer = await asyncio.open_connection(*host.split(":"))
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b"it is one of HTTP/1.0." in answer

    @pytest.mark.parametrize(
        ("site", "mode"),
        [("none", "navigate"), ("same-origin", "cors"), ("cross-site", "navigate")],
    )
    async def test_who_follows_a_link_asks_himself(self, site: str, mode: str) -> None:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        async with listening(application()) as url:
            assert (await get(f"{url}/loopfilm", headers=headers)).code == 200

    @pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80", "LOCALHOST."])
    async def test_this_machine_has_more_than_one_name(self, host: str) -> None:
        async with listening(application()) as url:
            assert (await get(f"{url}/loopfilm", headers={"Host": host})).code == 200

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets in asyncio")
    async def test_who_has_no_address_may_be_anywhere(self, tmp_path: Path) -> None:
        path = str(tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen()
            sock.setblocking(False)
            server = HTTPServer(application())
            server.add_socket(sock)
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"GET /loopfilm HTTP/1.1\r\nHost: localhost\r\n\r\n")
            line = await reader.readline()
            writer.close()
            server.stop()
            await server.close_all_connections()
        assert line == b"HTTP/1.1 403 Forbidden\r\n"

    async def test_an_application_can_allow_all(self) -> None:
        app = Application([loopfilm.handler("/f", from_anywhere=True)])
        async with listening(app) as url:
            response = await get(f"{url}/f?seconds=0.01", headers={"X-Real-Ip": "192.0.2.1"})
        assert response.code == 200


async def test_a_loop_whose_steps_nobody_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(**_: object) -> None:
        raise TypeError("film() sees only asyncio's own event loops, not uvloop.Loop")

    monkeypatch.setattr(mounted, "film", refuses)
    async with listening(application()) as url:
        response = await get(url + SHORT)
    assert response.code == 501
    assert b"only asyncio's own event loops, not uvloop.Loop.\n" in response.body


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"path": 5}, TypeError),
        ({"path": ""}, ValueError),
        ({"path": "loopfilm"}, ValueError),
        ({"path": "foo bar"}, ValueError),
        ({"most_seconds": "5"}, TypeError),
        ({"most_seconds": True}, TypeError),
        ({"most_seconds": 0}, ValueError),
        ({"most_seconds": float("nan")}, ValueError),
        ({"most_seconds": float("inf")}, ValueError),
    ],
)
def test_a_handler_that_cannot_be(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        loopfilm.handler(**options)
