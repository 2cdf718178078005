"""The guest book shows what strangers wrote, as they wrote it, and runs none of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.escape import json_decode, xhtml_escape
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.template import Template

from loopfilm import running
from stormy_demo.batteries.counterparts.seen import seen
from stormy_demo.batteries.pages import LONGEST, MOST_ENTRIES, is_web_address, make_app
from tests import quick_start
from tests.bad_clients import (
    Visit,
    connect,
    http_requests,
    read_to_the_end,
    serving,
    statuses,
    visits,
)
from tests.paths import ROOT

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

SCRIPT = "<script>steal()</script>"


async def fetch(url: str, **options: Any) -> HTTPResponse:
    """Ask, follow no redirect, and wait as long as it takes: the machine may be busy."""
    patient: dict[str, Any] = {"raise_error": False, "follow_redirects": False}
    patient |= {"connect_timeout": 0, "request_timeout": 0}
    return await AsyncHTTPClient().fetch(url, **patient, **options)


async def sign(url: str, name: str, text: str = "hello", site: str = "", **more: Any) -> int:
    form = urlencode({"name": name, "text": text, "site": site})
    return (await fetch(url, method="POST", body=form, **more)).code


def sentence(response: HTTPResponse) -> str:
    """The one sentence of an error."""
    [words] = json_decode(response.body).values()
    assert " " in words
    return str(words)


class TestTheBook:
    async def test_shows_who_wrote_what_the_newest_first(self) -> None:
        async with running(make_app()) as url:
            assert await sign(url, "ada", "first", "https://ada.example/?a=1&b=2") == 303
            assert await sign(url, "grace", "second") == 303
            page = await fetch(url)
        assert page.headers["Content-Type"] == "text/html; charset=UTF-8"
        text = seen(page.body).text
        assert text.startswith("Guest book grace: second more ada: first more home page Name")
        assert b'href="https://ada.example/?a=1&amp;b=2"' in page.body

    async def test_is_framed_by_the_template_that_its_own_extends(self) -> None:
        async with running(make_app()) as url:
            page = (await fetch(url)).body.decode()
        assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
        assert "<title>Guest book</title>" in page

    async def test_shows_what_one_person_wrote(self) -> None:
        async with running(make_app()) as url:
            await sign(url, "Ada & Co", "first")
            await sign(url, "grace", "second")
            page = (await fetch(url)).body.decode()
            link = page.partition("first")[2].partition('href="')[2].partition('"')[0]
            assert parse_qs(urlsplit(link).query) == {"by": ["Ada & Co"]}
            text = seen((await fetch(url + link)).body).text
        assert "Ada & Co: first" in text and "grace" not in text

    async def test_forgets_the_oldest_when_there_are_many(self) -> None:
        async with running(make_app()) as url:
            for number in range(MOST_ENTRIES + 1):
                await sign(url, f"person {number}")
            text = seen((await fetch(url)).body).text
        assert "person 0:" not in text
        assert "person 1:" in text and f"person {MOST_ENTRIES}:" in text

    async def test_keeps_the_entries_of_each_application_to_itself(self) -> None:
        async with running(make_app()) as url, running(make_app()) as other:
            await sign(url, "ada")
            assert "ada" not in seen((await fetch(other)).body).text


class TestAnAttack:
    @pytest.mark.parametrize(
        "attack",
        [
            SCRIPT,
            "<SCRIPT>steal()</SCRIPT>",
            "<scr<script>ipt>steal()</script>",
            "<img src=x onerror=steal()>",
            '"><script>steal()</script>',
            '" onmouseover="steal()',
            "' onmouseover='steal()",
            "&lt;script&gt;",
            "{{ entries }} {% raw entries %}",
            "%3Cscript%3E",
        ],
    )
    async def test_is_shown_as_text_and_runs_nothing(self, attack: str) -> None:
        async with running(make_app()) as url:
            assert await sign(url, attack, f"text: {attack}") == 303
            found = seen((await fetch(url)).body)
            of_one = seen((await fetch(f"{url}/?by={quote(attack)}")).body)
        assert found.runs == [] and f"{attack}: text: {attack} more" in found.text
        assert of_one == found

    @pytest.mark.parametrize(
        "site",
        [
            "javascript:steal()",
            " JavaScript:steal()",
            "java\nscript:steal()",
            "data:text/html,<script>steal()</script>",
            "//elsewhere.example",
            "/logout",
            "https:",
            "http:///path",
            "https://[::1",
            "mailto:ada@example.com",
        ],
    )
    async def test_that_is_an_address_is_not_kept(self, site: str) -> None:
        async with running(make_app()) as url:
            answer = await fetch(
                url, method="POST", body=urlencode({"name": "a", "text": "b", "site": site})
            )
            assert answer.code == 400 and "https://" in sentence(answer)
            assert "home page" not in seen((await fetch(url)).body).text

    async def test_in_an_address_that_may_be_kept_stays_inside_of_it(self) -> None:
        async with running(make_app()) as url:
            assert await sign(url, "ada", site='https://a.example/" onclick="steal()') == 303
            assert seen((await fetch(url)).body).runs == []

    def test_succeeds_where_a_template_says_raw(self) -> None:
        """The reason for all of this."""
        hole = Template("<b>{% raw name %}</b>")
        assert seen(hole.generate(name=SCRIPT)).runs == ["steal()"]

    async def test_by_a_form_of_another_site_signs_nothing(self) -> None:
        async with running(make_app()) as url:
            elsewhere = {"Origin": "https://elsewhere.example"}
            assert await sign(url, "eve", headers=elsewhere) == 403
            assert await sign(url, "eve", headers={"Sec-Fetch-Site": "cross-site"}) == 403
            assert "eve" not in seen((await fetch(url)).body).text
            assert await sign(url, "ada", headers={"Origin": url}) == 303

    @given(st.text())
    def test_of_any_text_is_shown_as_it_is(self, text: str) -> None:
        page = Template("<p>{{ text }}</p>").generate(text=text)
        assert page == f"<p>{xhtml_escape(text)}</p>".encode()
        assert seen(page).runs == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("", "name"),
        ("name=a&text=b", "site"),
        ("name=a&name=b&text=c&site=", "once"),
        ("name=&text=b&site=", "empty"),
        ("name=+&text=b&site=", "empty"),
        (f"name={'a' * (LONGEST['name'] + 1)}&text=b&site=", str(LONGEST["name"])),
        (f"name=a&text={'b' * (LONGEST['text'] + 1)}&site=", str(LONGEST["text"])),
        ("name=%ff&text=b&site=", "name"),
    ],
)
async def test_a_form_that_is_not_right_gets_a_sentence(body: str, word: str) -> None:
    async with running(make_app()) as url:
        answer = await fetch(url, method="POST", body=body)
        assert answer.code == 400 and word in sentence(answer)


async def test_a_form_may_be_as_large_as_its_fields_and_not_much_larger() -> None:
    # "%F0%9F%90%8D", in a form, is one character of four bytes.
    fields = {name: "\N{SNAKE}" * longest for name, longest in LONGEST.items()}
    fields["site"] = "http://" + fields["site"][len("http://") :]
    async with running(make_app()) as url:
        assert (await sign(url, **fields)) == 303
        too_large = "name=" + "a" * 20_000
        with connect(url) as connection:
            head = f"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {len(too_large)}\r\n\r\n"
            # Nothing of the body is sent: it is refused for what is announced.
            connection.sendall(head.encode())
            heard = await asyncio.to_thread(read_to_the_end, connection)
    assert statuses(heard) == [400]


@pytest.mark.parametrize("query", ["?by=a&by=b", "?by=%ff"])
async def test_a_question_that_is_not_right_gets_a_sentence(query: str) -> None:
    async with running(make_app()) as url:
        answer = await fetch(f"{url}/{query}")
        assert answer.code == 400 and sentence(answer)


async def test_elsewhere_there_is_nothing() -> None:
    async with running(make_app()) as url:
        assert "at /" in sentence(await fetch(f"{url}/book.html"))
        assert (await fetch(url, method="DELETE")).code == 405


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://ada.example", True),
        ("HTTP://ada.example/a?b#c", True),
        ("https:ada.example", False),
        ("", False),
        ("ada.example", False),
    ],
)
def test_a_web_address_says_how_and_where(text: str, is_one: bool) -> None:
    assert is_web_address(text) == is_one


def test_it_survives_every_client() -> None:
    with serving(lambda: running(make_app())) as server:

        @given(visits(http_requests(["/"], ["by", "name", "text", "site"])))
        def visit(what: Visit) -> None:
            server.survives(what)

        visit()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("command", "title"),
    [
        (["pages"], "Guest book"),
        (["sessions", "--secret=known", "--xsrf_cookies=false"], "Purse"),
    ],
)
def test_it_is_a_program_too(command: list[str], title: str) -> None:
    module, *options = command
    words = [sys.executable, "-m", f"stormy_demo.batteries.{module}", "--port=0", *options]
    with quick_start.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout
            url = program.stdout.readline().split()[2]
            page = asyncio.run(fetch(url))
            assert seen(page.body).text.startswith(title)
            program.terminate()
            assert program.stdout.read() == "stopped\n"
            assert program.wait() == 0
        finally:
            program.kill()
