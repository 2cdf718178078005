"""A purse that is opened with a signed cookie, and that no other site can open."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler, create_signed_value

from loopfilm import LOCALHOST, running
from stormy_demo.batteries.counterparts.seen import seen
from stormy_demo.batteries.sessions import COINS, COOKIE, Sessions, make_app
from tests.bad_clients import Visit, http_requests, serving, visits

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

SECRET = "known to this test alone"
DAY = 86_400.0  # seconds


@dataclass
class Browser:
    """Keeps the cookies of one site, and sends them with each request, whoever asked for it.

    Attributes:
        url: the site.
        jar: what it has been given.
        page: what was seen last.
    """

    url: str
    jar: dict[str, Morsel[str]] = field(default_factory=dict)
    page: str = ""

    async def request(self, method: str = "GET", **options: Any) -> HTTPResponse:
        """Send a request, with the cookies."""
        cookies = "; ".join(f"{each.key}={each.coded_value}" for each in self.jar.values())
        headers = {**options.pop("headers", {}), **({"Cookie": cookies} if cookies else {})}
        patient: dict[str, Any] = {"raise_error": False, "follow_redirects": False}
        patient |= {"connect_timeout": 0, "request_timeout": 0}
        response = await AsyncHTTPClient().fetch(
            self.url, method=method, headers=headers, **patient, **options
        )
        for line in response.headers.get_list("Set-Cookie"):
            self.jar.update(SimpleCookie(line))
        return response

    async def coins(self) -> int:
        """Open the page; return how many coins it says there are."""
        response = await self.request()
        assert response.code == 200
        self.page = response.body.decode()
        [number] = re.findall(r"You have (\d+) coins", seen(self.page).text)
        return int(number)

    async def give(self, form: dict[str, str] | None = None, **headers: str) -> HTTPResponse:
        """Send the form that was seen last, or another."""
        found = re.search(r'name="_xsrf" value="([^"]*)"', self.page)
        token = {"_xsrf": found[1]} if found else {}
        fields = {"to": "grace", **token} if form is None else form
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.request("POST", body=urlencode(fields), headers=named)

    def has(self, value: str | bytes) -> None:
        """Write the cookie of the session by hand."""
        text = value.decode() if isinstance(value, bytes) else value
        self.jar.update(SimpleCookie(f"{COOKIE}={text}"))


def sentence(response: HTTPResponse) -> str:
    """The one sentence of an error."""
    [words] = json_decode(response.body).values()
    assert " " in words
    return str(words)


def signed(name: str, value: str | bytes, secret: str = SECRET, days_ago: float = 0) -> bytes:
    return create_signed_value(secret, name, value, clock=lambda: time.time() - days_ago * DAY)


class TestAPurse:
    async def test_begins_full_and_each_gift_takes_a_coin(self) -> None:
        async with running(make_app()) as url:
            ada, grace = Browser(url), Browser(url)
            assert await ada.coins() == COINS
            assert await grace.coins() == COINS
            answer = await ada.give()
            assert (answer.code, answer.headers["Location"]) == (303, "/")
            assert await ada.coins() == COINS - 1
            assert await grace.coins() == COINS

    async def test_gives_no_more_than_there_is(self) -> None:
        async with running(make_app()) as url:
            ada = Browser(url)
            await ada.coins()
            for _ in range(COINS):
                assert (await ada.give()).code == 303
            answer = await ada.give()
            assert (answer.code, sentence(answer)) == (409, "your purse is empty")
            assert await ada.coins() == 0

    async def test_gives_to_somebody(self) -> None:
        async with running(make_app(xsrf_cookies=False)) as url:
            ada = Browser(url)
            await ada.coins()
            for form in ({}, {"to": ""}, {"to": "a" * 1000}):
                answer = await ada.give(form)
                assert answer.code == 400 and "to must" in sentence(answer)
            assert await ada.coins() == COINS

    async def test_is_gone_with_the_server(self) -> None:
        async with running(make_app(SECRET)) as url:
            ada = Browser(url)
            await ada.coins()
            await ada.give()
        async with running(make_app(SECRET)) as ada.url:
            assert await ada.coins() == COINS


class TestTheCookie:
    async def test_says_how_the_browser_shall_keep_it(self) -> None:
        async with running(make_app()) as url:
            ada = Browser(url)
            await ada.coins()
        for cookie in ada.jar.values():
            assert cookie["httponly"] and cookie["samesite"] == "Lax"
            # It ends with the browser, and here there is no TLS.
            assert not cookie["secure"] and not cookie["expires"] and not cookie["max-age"]

    @pytest.mark.parametrize("protocol", ["http", "https"])
    async def test_is_for_tls_alone_if_that_is_how_it_is_given(self, protocol: str) -> None:
        server = HTTPServer(make_app(), xheaders=True)
        server.add_sockets(sockets := bind_sockets(0, LOCALHOST))
        try:
            ada = Browser(f"http://{LOCALHOST}:{sockets[0].getsockname()[1]}")
            # As a proxy says it, which does the TLS.
            await ada.request(headers={"X-Forwarded-Proto": protocol})
        finally:
            server.stop()
            await server.close_all_connections()
        assert sorted(ada.jar) == ["_xsrf", COOKIE]
        assert {bool(cookie["secure"]) for cookie in ada.jar.values()} == {protocol == "https"}

    async def test_has_a_number_that_can_be_read_and_nothing_else(self) -> None:
        async with running(make_app()) as url:
            ada, grace = Browser(url), Browser(url)
            numbers = []
            for browser in (ada, grace):
                await browser.coins()
                value = browser.jar[COOKIE].value.split("|")[4].partition(":")[2]
                numbers.append(base64.b64decode(value))
        assert all(re.fullmatch(rb"[0-9a-f]{32}", number) for number in numbers)
        assert numbers[0] != numbers[1]

    async def test_that_the_server_made_opens_the_purse_until_it_is_too_old(self) -> None:
        async with running(make_app(SECRET)) as url:
            ada = Browser(url)
            await ada.coins()
            await ada.give()
            number = base64.b64decode(ada.jar[COOKIE].value.split("|")[4].partition(":")[2])
            ada.has(signed(COOKIE, number, days_ago=30))
            assert await ada.coins() == COINS - 1
            ada.has(signed(COOKIE, number, days_ago=32))
            assert await ada.coins() == COINS

    async def test_that_is_forged_opens_nothing(self) -> None:
        async with running(make_app(SECRET)) as url:
            ada = Browser(url)
            await ada.coins()
            await ada.give()
            real = ada.jar[COOKIE].value
            number = base64.b64decode(real.split("|")[4].partition(":")[2])
            forged = [
                signed(COOKIE, number, secret="a guess"),
                signed("theme", number),
                create_signed_value(SECRET, COOKIE, number, version=1),
                signed(COOKIE, "made up"),
                real[:-1] + ("0" if real[-1] != "0" else "1"),
                number,
                "",
            ]
            for value in forged:
                eve = Browser(url)
                eve.has(value)
                assert await eve.coins() == COINS, value
            assert await ada.coins() == COINS - 1

    async def test_is_needed_to_give(self) -> None:
        async with running(make_app(xsrf_cookies=False)) as url:
            answer = await Browser(url).give()
            assert answer.code == 403 and "look at /" in sentence(answer)

    async def test_that_is_not_signed_lets_anybody_be_anybody(self) -> None:
        """The reason for the signature."""

        class Trusting(RequestHandler):
            def get(self) -> None:
                self.write(self.get_cookie("visitor") or "nobody")

        async with running(Application([(r"/", Trusting)])) as url:
            answer = await AsyncHTTPClient().fetch(url, headers={"Cookie": "visitor=ada"})
        assert answer.body == b"ada"


class TestAFormOfAnotherSite:
    async def test_takes_a_coin_where_nothing_is_done_against_it(self) -> None:
        """The reason for both settings: the browser has sent the cookie."""
        app = make_app(cross_origin_protection=False, xsrf_cookies=False)
        async with running(app) as url:
            ada = Browser(url)
            await ada.coins()
            assert (
                await ada.give({"to": "eve"}, Origin="https://elsewhere.example")
            ).code == 303
            assert await ada.coins() == COINS - 1

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://elsewhere.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Origin": "http://a%s.example"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
            {"Sec_Fetch_Site": "cross-site", "Origin": "SITE"},
        ],
    )
    async def test_is_refused_by_what_the_browser_says_of_it(
        self, headers: dict[str, str]
    ) -> None:
        async with running(make_app(xsrf_cookies=False)) as url:
            ada = Browser(url)
            await ada.coins()
            told = {name: value.replace("SITE", url) for name, value in headers.items()}
            answer = await ada.give({"to": "eve"}, **told)
            assert answer.code == 403 and "not allowed" in sentence(answer)
            assert await ada.coins() == COINS

    @pytest.mark.parametrize(
        "headers",
        [{"Origin": "SITE"}, {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}, {}],
    )
    async def test_is_told_from_our_own_and_from_what_is_no_browser(
        self, headers: dict[str, str]
    ) -> None:
        async with running(make_app(xsrf_cookies=False)) as url:
            ada = Browser(url)
            await ada.coins()
            told = {name: value.replace("SITE", url) for name, value in headers.items()}
            assert (await ada.give({"to": "grace"}, **told)).code == 303
            assert await ada.coins() == COINS - 1

    @pytest.mark.parametrize("token", ["", "guess", "2|aaaaaaaa|bb|1", "2|zz|zz|zz", "é"])
    async def test_is_refused_without_the_token_of_our_page(self, token: str) -> None:
        async with running(make_app(cross_origin_protection=False)) as url:
            ada = Browser(url)
            await ada.coins()
            answer = await ada.give({"to": "eve", "_xsrf": token})
            assert answer.code == 403 and "xsrf" in sentence(answer).lower()
            assert await ada.coins() == COINS

    async def test_is_refused_with_the_token_of_somebody_else(self) -> None:
        async with running(make_app(cross_origin_protection=False)) as url:
            ada, eve = Browser(url), Browser(url)
            await asyncio.gather(ada.coins(), eve.coins())
            ada.page = eve.page
            assert (await ada.give()).code == 403
            assert await ada.coins() == COINS

    @pytest.mark.parametrize(("protected", "status"), [(False, 303), (True, 403)])
    async def test_knows_the_token_where_it_can_set_cookies(
        self, protected: bool, status: int
    ) -> None:
        """The reason for both settings together: another port of this host can."""
        async with running(make_app(cross_origin_protection=protected)) as url:
            ada = Browser(url)
            await ada.coins()
            ada.jar.update(SimpleCookie("_xsrf=known"))
            answer = await ada.give({"to": "eve", "_xsrf": "known"}, Sec_Fetch_Site="same-site")
            assert answer.code == status

    async def test_is_refused_where_the_token_is_not_utf_8(self) -> None:
        async with running(make_app()) as url:
            ada = Browser(url)
            await ada.coins()
            answer = await ada.request("POST", body="to=eve&_xsrf=%ff")
            assert answer.code == 400 and sentence(answer)


class TestSessions:
    def test_give_back_what_was_kept(self) -> None:
        sessions = Sessions()
        kept = {"coins": 1}
        number = sessions.begin(kept)
        assert sessions.find(number) is kept
        assert sessions.find(None) is None
        assert sessions.find(b"") is None
        assert sessions.find(number[:-1]) is None

    def test_can_be_ended_while_the_cookie_lives_on(self) -> None:
        sessions = Sessions()
        number = sessions.begin({})
        sessions.end(number)
        sessions.end(number)
        assert sessions.find(number) is None

    def test_end_when_nobody_has_used_them_for_a_while(self) -> None:
        now = [0.0]
        sessions = Sessions(seconds=10, clock=lambda: now[0])
        used, left = sessions.begin({}), sessions.begin({})
        now[0] = 10.0
        assert sessions.find(used) == {}
        now[0] = 20.0
        assert sessions.find(used) == {}
        assert sessions.find(left) is None
        assert sessions.find(left) is None

    def test_forget_the_one_that_was_used_the_longest_ago_when_there_are_too_many(self) -> None:
        sessions = Sessions(most=2)
        first, second = sessions.begin({}), sessions.begin({})
        sessions.find(first)
        third = sessions.begin({})
        assert [sessions.find(each) for each in (first, second, third)] == [{}, None, {}]

    @given(st.lists(st.sampled_from(["begin", "find", "end"])))
    def test_never_are_more_than_there_may_be(self, deeds: list[str]) -> None:
        sessions, numbers = Sessions(most=3), [b"none"]
        for deed in deeds:
            if deed == "begin":
                numbers.append(sessions.begin({}))
            elif deed == "find":
                sessions.find(numbers[len(numbers) // 2])
            else:
                sessions.end(numbers[-1])
            assert sum(sessions.find(each) is not None for each in numbers) <= 3


def test_it_survives_every_client() -> None:
    with serving(lambda: running(make_app())) as server:

        @given(visits(http_requests(["/"], ["to", "_xsrf"])))
        def visit(what: Visit) -> None:
            server.survives(what)

        visit()


def test_it_survives_every_cookie() -> None:
    with serving(lambda: running(make_app(SECRET, xsrf_cookies=False))) as server:
        cookies = st.one_of(
            st.binary(max_size=40).map(lambda data: signed(COOKIE, data)),
            st.binary(max_size=40),
            st.from_regex(rb"2\|(-?\d{1,3}:[^|\r\n]{0,9}\|){0,5}[0-9a-f]*", fullmatch=True),
        )

        @given(cookies, st.sampled_from([COOKIE, "_xsrf"]), st.sampled_from(["GET", "POST"]))
        def visit(cookie: bytes, name: str, method: str) -> None:
            cookie = re.sub(rb"[\r\n\0]", b"", cookie)
            head = f"{method} / HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n".encode()
            request = head + f"Cookie: {name}=".encode() + cookie + b"\r\n\r\n"
            assert server.survives(Visit([request], "half")) in ([200], [400], [403])

        visit()
