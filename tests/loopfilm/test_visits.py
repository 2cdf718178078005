"""Visitors come all at once, and each has its answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.web import Application, HTTPError, RequestHandler

import loopfilm
from loopfilm import lane, visited
from tests.loopfilm.servers import ALL_THREE, watch


def test_answers_come_in_the_order_of_the_visits() -> None:
    class LastComesFirst(RequestHandler):
        async def get(self) -> None:
            mine = int(self.get_argument("user"))
            events = self.settings["events"]
            if mine + 1 < len(events):
                await events[mine + 1].wait()
            events[mine].set()
            self.write({"user": mine})

    app = Application([("/", LastComesFirst)], events=[asyncio.Event() for _ in range(5)])
    f = watch(app, [f"/?user={n}" for n in range(5)])
    assert f.answers == [(200, {"user": n}) for n in range(5)]


def test_every_kind_of_answer_is_an_answer() -> None:
    class Drops(RequestHandler):
        def get(self) -> None:
            self.detach().close()

    class Redirects(RequestHandler):
        def get(self) -> None:
            self.redirect("/")

    class Refuses(RequestHandler):
        def get(self) -> None:
            raise HTTPError(400, "no")

    class Says(RequestHandler):
        def get(self, what: str) -> None:
            self.set_header("Content-Type", what)
            self.write("caf\N{LATIN SMALL LETTER E WITH ACUTE}")

    app = Application(
        [
            ("/drops", Drops),
            ("/redirects", Redirects),
            ("/refuses", Refuses),
            ("/says/(.*)", Says),
        ]
    )
    f = watch(
        app,
        [
            "/drops",
            "/redirects",
            "/refuses",
            "/says/text/plain",
            "/says/application/json",
            "/x",
        ],
    )
    assert [answer.status for answer in f.answers] == [599, 302, 400, 200, 200, 404]
    assert f.answers[0].body == "The connection was lost."
    assert f.answers[3].body == f.answers[4].body == "caf\N{LATIN SMALL LETTER E WITH ACUTE}"


def test_a_visitor_goes_away_when_it_has_waited_too_long() -> None:
    class Never(RequestHandler):
        async def get(self) -> None:
            await asyncio.Event().wait()

    f = loopfilm.watch(Application([("/", Never)]), ALL_THREE, timeout=0.05)
    assert f.answers == [(599, "No answer within 0.05 s.")] * 3


@pytest.mark.parametrize("limit", ["connect_timeout", "request_timeout"])
def test_a_visitor_has_no_other_patience(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    class TakesAMoment(RequestHandler):
        async def get(self) -> None:
            await asyncio.sleep(0.01)

    # What Tornado's clients have by themselves.
    monkeypatch.setitem(HTTPRequest._DEFAULTS, limit, 1e-9)
    f = watch(Application([("/", TakesAMoment)]), ALL_THREE)
    assert [answer.status for answer in f.answers] == [200] * 3


def test_a_path_may_be_written_as_people_write_it() -> None:
    class Echo(RequestHandler):
        def get(self, path: str) -> None:
            self.write(f"{path} {self.get_argument('user')}")

    # What is quoted already stays as it is.
    visits = ["/\N{GREEK SMALL LETTER PI}/?user=ada lovelace", "/%CF%80/?user=ada%20lovelace"]
    f = watch(Application([("/(.*)/", Echo)]), visits)
    assert [answer.body for answer in f.answers] == [
        "\N{GREEK SMALL LETTER PI} ada lovelace",
    ] * 2
    assert f.lanes == ["ada lovelace", "ada lovelace 2"]


def test_a_name_is_short_for_the_resources_of_that_user() -> None:
    class Echo(RequestHandler):
        def get(self) -> None:
            self.write(self.get_argument("user"))

    f = watch(Application([("/resources/", Echo)]), ["ada", "grace & co"])
    assert [answer.body for answer in f.answers] == ["ada", "grace & co"]
    assert f.lanes == ["ada", "grace & co"]


@pytest.mark.parametrize(
    ("visit", "sent"),
    [
        ("/a b", "/a%20b"),
        ("/caf\N{LATIN SMALL LETTER E WITH ACUTE}?x=\N{EURO SIGN}", "/caf%C3%A9?x=%E2%82%AC"),
        ("/?a=1&a=2", "/?a=1&a=2"),
        ("/100%", "/100%"),
        ("//a//b", "//a//b"),
        ("/a/../b", "/a/../b"),
        ("/a#b", "/a%23b"),
        ("/a\r\nX-Name: b\0", "/a%0D%0AX-Name:%20b%00"),
        # What a command line makes of a byte that is no text.
        ("/\udcff", "/%FF"),
        ("\udcff", "/resources/?user=%FF"),
        ("ada & grace #1", "/resources/?user=ada%20%26%20grace%20%231"),
        ("/" + "a" * 60_000, "/" + "a" * 60_000),
    ],
)
def test_a_visit_is_sent_as_what_it_says(visit: str, sent: str) -> None:
    class Echo(RequestHandler):
        def get(self) -> None:
            self.write(self.request.uri or "")

    [answer] = watch(Application([("/.*", Echo)]), [visit]).answers
    assert answer == (200, sent)


def test_a_path_that_no_server_takes_has_no_answer() -> None:
    assert [each.status for each in watch(APP, ["/" + "a" * 70_000, "/"]).answers] == [599, 404]


class Waits(RequestHandler):
    async def get(self) -> None:
        self.settings["asked"].set()
        await asyncio.Event().wait()


class Detaches(RequestHandler):
    """Takes its connection over: there is nothing of it for which the server could wait."""

    async def get(self) -> None:
        self.settings["detached"].append(self.detach())
        self.settings["asked"].set()


@pytest.mark.parametrize("handler", [Waits, Detaches])
async def test_nobody_is_left_when_the_script_fails(handler: type[RequestHandler]) -> None:
    async def script(_: object) -> None:
        await asked.wait()
        raise ZeroDivisionError

    asked, before = asyncio.Event(), asyncio.all_tasks()
    app = Application([("/", handler)], asked=asked, detached=[])
    with pytest.raises(ZeroDivisionError):
        await visited(app, ALL_THREE, script=script)
    assert asyncio.all_tasks() == before


async def test_nobody_is_left_when_a_visit_fails() -> None:
    class Ends(BaseException):
        """What nobody catches who catches a mistake."""

    async def script(_: object) -> None:
        await asyncio.Event().wait()

    def naming(_: object) -> str:
        raise Ends

    before = asyncio.all_tasks()
    with pytest.raises(Ends):
        await visited(Application(lane=naming), ["/"], script=script)
    assert asyncio.all_tasks() == before


APP = Application([])


@pytest.mark.parametrize(
    ("app", "visits", "options", "words"),
    [
        (5, "ada", {}, "an application is needed"),
        (None, "ada", {}, "an application is needed"),
        (RequestHandler, "ada", {}, "an application is needed"),
        (APP, None, {}, "a list of paths or names, not None"),
        (APP, {"ada": 1}, {}, "a list of paths or names"),
        (APP, ["ada", 5], {}, "a path or a name, not 5"),
        (APP, b"ada", {}, "a list of paths or names, not b'ada'"),
        (APP, [b"/ada"], {}, "a path or a name, not b'/ada'"),
        (APP, [Path("ada")], {}, "a path or a name, not"),
        (APP, ["http://127.0.0.1/ada"], {}, "an address: a visit is its path, from the / on"),
        (APP, "resources/?user=ada", {}, "a path begins with /: '/resources/"),
        (APP, "?user=ada", {}, r"a path begins with /: '/\?user=ada'"),
        (APP, "", {}, "'' is no name, and a path begins with /: '/'"),
        (APP, "/\ud800", {}, "surrogates not allowed"),
        (APP, "ada", {"timeout": 0}, "not 0"),
        (APP, "ada", {"timeout": "1"}, "patience is a number of seconds, not '1'"),
        (APP, "ada", {"timeout": None}, "patience is a number of seconds, not None"),
        (APP, "ada", {"timeout": float("nan")}, "not nan"),
        (APP, "ada", {"red": 0}, "red is a number of seconds above 0, not 0"),
        (APP, "ada", {"red": "1"}, "red is a number of seconds, not '1'"),
    ],
)
def test_what_is_no_visit_is_told_so(
    app: Any, visits: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        loopfilm.watch(app, visits, **options)


def test_a_lane_is_named_by_a_text() -> None:
    with pytest.raises(TypeError, match="a string, not 5"), lane(5):  # type: ignore[arg-type]
        pass
