"""The film says who had the event loop, and leaves no trace when it is over."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import itertools
import re
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPHeaders,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
)
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.routing import PathMatches, Rule, RuleRouter
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect

from loopfilm import Film, by_user, film, labelled, lane, picture, running, watch
from loopfilm.lanes import LANE
from tornalet import tornalet, wait

LONG = 0.3  # seconds; a step may last 0.25 before it holds the loop
ALL_THREE = ["/?user=ada", "/?user=grace", "/?user=alan"]


class Blocking(RequestHandler):
    def get(self) -> None:
        time.sleep(LONG)


class Together(RequestHandler):
    """Answers when as many visitors are waiting as the settings say, and so needs no luck."""

    async def get(self) -> None:
        await meet(self.settings)
        self.write({"user": self.get_argument("user", "")})


async def meet(settings: dict[str, Any]) -> None:
    waiting = settings["waiting"]
    waiting.append(asyncio.Event())
    if len(waiting) == settings["size"]:
        for event in waiting:
            event.set()
        waiting.clear()
    else:
        await waiting[-1].wait()


def together(size: int, handler: type[RequestHandler] = Together) -> Application:
    return Application([("/", handler)], size=size, waiting=[])


async def turns_of_the_loop(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def drawn(f: Film) -> list[str]:
    """Every text of the picture."""
    return [
        element.text or "" for element in ElementTree.fromstring(f.svg()).iter() if element.text
    ]


# What it says


def test_blocking_handlers_run_one_after_another() -> None:
    f = watch(Application([("/", Blocking)]), ALL_THREE)
    assert str(f) == (
        "ada, grace and alan: one after another. ada, grace and alan each held the loop."
    )
    assert f.lanes == f.held == ["ada", "grace", "alan"]
    assert f.together == 1


def test_handlers_that_wait_overlap() -> None:
    f = watch(together(3), ALL_THREE)
    assert str(f) == "ada, grace and alan: 3 at once. Nobody held the loop."
    assert f.together == 3
    assert f.held == []


def test_the_text_is_the_same_in_every_run() -> None:
    assert (
        len({str(watch(together(5), [f"/?user=u{n}" for n in range(5)])) for _ in range(10)})
        == 1
    )


def test_one_who_blocks_among_those_who_wait_is_named() -> None:
    class GraceBlocks(RequestHandler):
        async def get(self) -> None:
            await meet(self.settings)
            if self.get_argument("user") == "grace":
                time.sleep(LONG)

    f = watch(together(3, GraceBlocks), ALL_THREE)
    assert str(f) == "ada, grace and alan: 3 at once. grace held the loop."


def test_red_says_how_long_is_too_long() -> None:
    f = watch(Application([("/", Blocking)]), ALL_THREE, red=30)
    assert f.held == []


def test_a_crowd_is_told_in_short() -> None:
    f = watch(together(20), [f"/?user=u{n}" for n in range(20)])
    assert str(f) == "u0, u1, u2 and 17 others: 20 at once. Nobody held the loop."


def test_a_crowd_that_blocks_is_told_in_short() -> None:
    class Brief(RequestHandler):
        def get(self) -> None:
            time.sleep(0.02)

    f = watch(Application([("/", Brief)]), [f"/?user=u{n}" for n in range(9)], red=0.01)
    assert str(f) == "u0, u1, u2 and 6 others: one after another. Each of them held the loop."


def test_two_hundred_at_once() -> None:
    f = watch(together(200), [f"/?user=u{n}" for n in range(200)])
    assert [answer.status for answer in f.answers] == [200] * 200
    assert f.together == 200
    assert len(f._repr_html_()) < 20_000


def test_one_visitor_is_alone() -> None:
    assert str(watch(together(1), "/?user=ada")) == "ada: alone. Nobody held the loop."


def test_no_visitors() -> None:
    f = watch(together(1), [])
    assert str(f) == "Nobody asked for anything."
    assert f.answers == []
    assert "Nobody asked for anything." in drawn(f)


def test_visitors_whom_nobody_serves() -> None:
    async def experiment() -> Film:
        with film() as f:
            f.asked("ada")
            await turns_of_the_loop()
        return f

    f = asyncio.run(experiment())
    assert str(f) == "ada: nobody was served. Nobody held the loop."
    assert {step.lane for step in f.steps} == {None}
    with pytest.raises(KeyError):
        f.answered("grace")


def test_visitors_of_one_name_are_numbered() -> None:
    f = watch(together(3), ["/?user=ada", "/", "/?user=ada"])
    assert str(f) == "ada, / and ada 2: 3 at once. Nobody held the loop."


def test_lanes_come_in_the_order_asked_not_in_the_order_seen() -> None:
    async def experiment() -> Film:
        with film() as f:
            f.asked("ada")
            with lane("grace"):
                await asyncio.create_task(turns_of_the_loop())
            with lane("ada"):
                await asyncio.create_task(turns_of_the_loop())
            f.answered("ada")
        return f

    assert asyncio.run(experiment()).lanes == ["ada", "grace"]


def test_work_after_the_answer_does_not_count_as_under_way() -> None:
    class AnswersThenTidies(RequestHandler):
        async def get(self) -> None:
            self.finish()
            await self.settings["second"].wait()

    class Second(RequestHandler):
        def get(self) -> None:
            self.settings["second"].set()

    async def experiment() -> Film:
        app = Application(
            [("/first", AnswersThenTidies), ("/second", Second)], second=asyncio.Event()
        )
        async with running(app) as url:
            with film() as f:
                await AsyncHTTPClient().fetch(f"{url}/first")
                await AsyncHTTPClient().fetch(f"{url}/second")
                await turns_of_the_loop()
        return f

    assert str(asyncio.run(experiment())) == (
        "/first and /second: one after another. Nobody held the loop."
    )


# What it sees


def test_callbacks_coroutines_and_greenlets_look_alike() -> None:
    class Callbacks(RequestHandler):
        def get(self) -> asyncio.Future[None]:
            done: asyncio.Future[None] = asyncio.Future()

            def met(_: object) -> None:
                IOLoop.current().call_later(0, later)

            def later() -> None:
                time.sleep(LONG)
                done.set_result(None)

            IOLoop.current().add_future(asyncio.ensure_future(meet(self.settings)), met)
            return done

    class Coroutines(RequestHandler):
        async def get(self) -> None:
            await meet(self.settings)
            time.sleep(LONG)

    class Generators(RequestHandler):
        @gen.coroutine
        def get(self) -> Iterator[Any]:
            yield meet(self.settings)
            time.sleep(LONG)

    class Greenlets(RequestHandler):
        @tornalet
        def get(self) -> None:
            wait(meet(self.settings))
            wait(asyncio.create_task(self.blocks()))

        async def blocks(self) -> None:
            time.sleep(LONG)

    handlers = [Callbacks, Coroutines, Generators, Greenlets]
    paths = [f"/{handler.__name__}" for handler in handlers]
    app = Application(list(zip(paths, handlers, strict=True)), size=4, waiting=[])
    f = watch(app, paths)
    assert f.lanes == paths
    assert f.together == 4
    assert sorted(f.held) == sorted(paths)


def test_a_plain_task_can_have_a_lane() -> None:
    async def experiment() -> Film:
        with film() as f:
            with lane("tick"):
                tick = asyncio.create_task(turns_of_the_loop())
            with lane("tock"):
                tock = asyncio.create_task(turns_of_the_loop())
            await asyncio.gather(tick, tock)
            with lane("bell"):
                await asyncio.create_task(turns_of_the_loop())
        return f

    f = asyncio.run(experiment())
    assert str(f) == "tick, tock and bell: 2 at once. Nobody held the loop."
    assert [step.lane for step in f.steps].count("tick") == 4
    assert all(0 <= step.start <= step.end for step in f.steps)


def test_a_handler_that_has_not_answered_yet_is_under_way() -> None:
    class Waits(RequestHandler):
        async def get(self) -> None:
            await self.settings["nearly"].wait()

    async def experiment() -> str:
        nearly = asyncio.Barrier(4)
        async with running(Application([("/", Waits)], nearly=nearly)) as url:
            with film() as f:
                client = AsyncHTTPClient()
                fetches = [client.fetch(url + path) for path in ALL_THREE]
                while nearly.n_waiting < 3:
                    await turns_of_the_loop()
            text = str(f)
            await nearly.wait()
            await asyncio.gather(*fetches)
        assert str(f) == text
        return text

    assert asyncio.run(experiment()) == "ada, grace and alan: 3 at once. Nobody held the loop."


def test_what_is_left_of_an_answer_of_before_the_film_is_no_visit() -> None:
    class AnswersThenFilms(RequestHandler):
        def get(self) -> None:
            self.finish()
            self.settings["films"].append(self.settings["stack"].enter_context(film()))

    async def experiment() -> Film:
        films: list[Film] = []
        with contextlib.ExitStack() as stack:
            app = Application([("/", AnswersThenFilms)], films=films, stack=stack)
            async with running(app) as url:
                await AsyncHTTPClient().fetch(url)
        return films[0]

    f = asyncio.run(experiment())
    assert f.lanes == []
    assert len(f.steps) > 0


def test_the_cell_itself_is_no_lane() -> None:
    async def experiment() -> Film:
        await turns_of_the_loop()
        with film() as f:
            time.sleep(LONG)
            with lane("nobody"):
                time.sleep(LONG)
            await turns_of_the_loop()
            time.sleep(LONG)
        return f

    f = asyncio.run(experiment())
    assert str(f) == "Nobody asked for anything."
    assert all(step.end - step.start < LONG for step in f.steps)


def test_other_loops_are_not_recorded() -> None:
    async def elsewhere() -> None:
        with lane("elsewhere"):
            await asyncio.create_task(turns_of_the_loop())

    async def experiment() -> Film:
        with film() as f:
            with lane("here"):
                here = asyncio.create_task(turns_of_the_loop())
            await asyncio.to_thread(asyncio.run, elsewhere())
            await here
        return f

    assert asyncio.run(experiment()).lanes == ["here"]


def test_a_step_that_raises_is_a_step_and_its_exception_goes_where_it_always_went() -> None:
    told: list[dict[str, Any]] = []

    def fails() -> None:
        raise ValueError("as it should")

    async def experiment() -> Film:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        with film() as f:
            with lane("fails"):
                loop.call_soon(fails)
            await turns_of_the_loop()
        return f

    assert asyncio.run(experiment()).lanes == ["fails"]
    assert [str(context["exception"]) for context in told] == ["as it should"]


def test_a_step_that_ends_the_program_is_a_step() -> None:
    films: list[Film] = []

    async def experiment() -> None:
        with film() as f:
            films.append(f)
            with lane("leaves"):
                asyncio.get_running_loop().call_soon(sys.exit)
            await turns_of_the_loop()

    with pytest.raises(SystemExit):
        asyncio.run(experiment())
    assert films[0].lanes == ["leaves"]


# What it leaves


@pytest.fixture(autouse=True)
def no_trace() -> Iterator[None]:
    """After every test of this file the loop's method is what it was."""
    original = asyncio.Handle._run
    yield
    assert asyncio.Handle._run is original


def patched() -> bool:
    return asyncio.Handle._run.__module__ != "asyncio.events"


def test_no_trace_after_the_block() -> None:
    async def experiment() -> None:
        with film():
            assert patched()
        assert not patched()

    asyncio.run(experiment())


def test_no_trace_after_an_exception() -> None:
    async def experiment() -> None:
        with pytest.raises(ZeroDivisionError), film():
            await turns_of_the_loop()
            raise ZeroDivisionError
        assert not patched()

    asyncio.run(experiment())


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_films_end_in_any_order(first_to_end: int) -> None:
    async def one_more(name: str) -> None:
        with lane(name):
            task = asyncio.create_task(turns_of_the_loop())
        await task

    async def experiment() -> None:
        makers = [film(), film()]
        films = [maker.__enter__() for maker in makers]
        await one_more("both")
        makers[first_to_end].__exit__(None, None, None)
        assert patched()
        await one_more("last")
        makers[1 - first_to_end].__exit__(None, None, None)
        assert not patched()
        await one_more("nobody")
        assert films[first_to_end].lanes == ["both"]
        assert films[1 - first_to_end].lanes == ["both", "last"]
        assert [step.lane for step in films[1].steps].count("both") == 4

    asyncio.run(experiment())


def test_films_on_the_loops_of_two_threads() -> None:
    meeting = threading.Barrier(2, timeout=30)

    async def experiment(name: str) -> Film:
        with film() as f, lane(name):
            await asyncio.to_thread(meeting.wait)
            await asyncio.create_task(turns_of_the_loop())
            await asyncio.to_thread(meeting.wait)
        return f

    async def both() -> list[Film]:
        threads = [asyncio.to_thread(asyncio.run, experiment(name)) for name in ("a", "b")]
        return await asyncio.gather(*threads)

    a, b = asyncio.run(both())
    assert a.lanes == ["a"]
    assert b.lanes == ["b"]


def test_a_patch_that_somebody_else_put_over_it_survives() -> None:
    original = asyncio.Handle._run
    calls = itertools.count()

    def theirs(handle: asyncio.Handle) -> None:
        next(calls)
        under(handle)

    async def one_more() -> Film:
        with film() as f, lane("ada"):
            await asyncio.create_task(turns_of_the_loop())
        return f

    async def experiment() -> None:
        nonlocal under
        with film():
            under = asyncio.Handle._run
            asyncio.Handle._run = theirs
        assert asyncio.Handle._run is theirs
        before = next(calls)
        f = await one_more()
        assert next(calls) > before + 1
        assert asyncio.Handle._run is theirs
        # Once each, although the first film's patch is still underneath.
        assert [step.lane for step in f.steps].count("ada") == 4

    under = original
    try:
        asyncio.run(experiment())
    finally:
        asyncio.Handle._run = original


def test_the_heart_stops_with_the_film() -> None:
    class Loop(asyncio.SelectorEventLoop):
        def call_at(self, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
            timers.append(super().call_at(*args, **kwargs))
            return timers[-1]

    timers: list[asyncio.TimerHandle] = []

    async def experiment() -> None:
        with film():
            await turns_of_the_loop()
            assert [timer.cancelled() for timer in timers] == [False]
        assert [timer.cancelled() for timer in timers] == [True]

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(experiment())


def test_the_heartbeat_is_in_nobodys_lane() -> None:
    async def experiment() -> Film:
        with lane("ada"), film() as f:
            await asyncio.sleep(0.1)
        return f

    f = asyncio.run(experiment())
    # What is left is the sleeper's own timer.
    assert [step.lane for step in f.steps].count("ada") == 1
    assert len(f.steps) > 3


# Where it refuses


def test_a_film_needs_a_loop_that_runs() -> None:
    with pytest.raises(RuntimeError, match="none is running here"), film():
        pass


def test_a_loop_that_is_not_asyncios_own_is_refused() -> None:
    class Foreign(asyncio.AbstractEventLoop):
        pass

    asyncio._set_running_loop(Foreign())
    try:
        with pytest.raises(TypeError, match=r"not .*Foreign"), film():
            pass
    finally:
        asyncio._set_running_loop(None)


# What it shows


def test_a_notebook_gets_a_picture_and_the_text_as_its_alternative() -> None:
    f = watch(together(3), ["/?user=%3Cb%3E%22ada", "/?user=grace%26", "/?user=%00%1b"])
    shown = f._repr_html_()
    source, alt = re.fullmatch(
        '<img src="data:image/svg\\+xml;base64,([^"]*)" alt="([^"]*)">', shown
    ).groups()  # type: ignore[union-attr]
    assert html.unescape(alt) == str(f) == repr(f)
    assert '<b>"ada, grace& and' in str(f)
    picture_shown = ElementTree.fromstring(base64.b64decode(source))
    assert picture_shown.get("width") == "700"
    assert '<b>"ada' in drawn(f)


def test_the_paper_is_opaque() -> None:
    first = ElementTree.fromstring(watch(together(1), "/").svg())[0]
    assert first.get("fill") == picture.PAPER
    assert first.get("width") == first.get("height") == "100%"
    assert "opacity" not in first.attrib


def test_what_is_red_is_also_said() -> None:
    f = watch(Application([("/", Blocking)]), ALL_THREE)
    words = drawn(f)
    assert sum(text.startswith("held 0.") for text in words) == 3
    assert any(text.startswith("none for ") for text in words)
    # Blue is left to the legend: nobody seems to go on after the answer.
    assert f.svg().count(picture.BLUE) == 1


def test_nobody_who_held_the_loop_is_left_out_of_the_picture() -> None:
    class TheLastBlocks(RequestHandler):
        async def get(self) -> None:
            await meet(self.settings)
            if self.get_argument("user") == "u19":
                time.sleep(LONG)

    words = drawn(watch(together(20, TheLastBlocks), [f"/?user=u{n}" for n in range(20)]))
    assert [text for text in words if re.fullmatch(r"u\d+", text)] == [
        *[f"u{n}" for n in range(11)],
        "u19",
    ]
    assert "and 8 more" in words


def test_other_work_that_holds_the_loop_is_drawn_but_is_no_lane() -> None:
    async def experiment() -> Film:
        with film() as f:
            asyncio.get_running_loop().call_soon(time.sleep, LONG)
            with lane("ada"):
                ada = asyncio.create_task(turns_of_the_loop())
            await ada
        return f

    f = asyncio.run(experiment())
    assert str(f) == "ada: alone. Nobody held the loop."
    assert "other work" in drawn(f)
    assert "ada: alone. Only other work held the loop." in drawn(f)


def test_thousands_of_steps_make_a_small_picture() -> None:
    async def experiment() -> Film:
        with film() as f, lane("busy"):
            await asyncio.create_task(turns_of_the_loop(5000))
        return f

    f = asyncio.run(experiment())
    assert len(f.steps) >= 5000
    assert len(f.svg()) < 20_000


def test_an_hour_of_heartbeats_makes_a_small_picture() -> None:
    beats = [beat / 40 for beat in range(3600 * 40)]
    assert len(picture.draw([], beats, 3600, red=0.25, title="")) < 20_000


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("behind", [picture.PAPER, picture.PINK])
def test_the_colours_can_be_told_apart(behind: str) -> None:
    for text in (picture.INK, picture.GREY, picture.GREEN, picture.RED):
        assert contrast(text, behind) >= 4.5
    assert contrast(picture.BLUE, behind) >= 3
    assert contrast("#ffffff", picture.RED) >= 4.5


# watch


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
            if self.get_argument("user") == "grace":
                await asyncio.Event().wait()

    f = watch(Application([("/", Never)]), ALL_THREE, timeout=1)
    assert [answer.status for answer in f.answers] == [200, 599, 200]
    assert f.answers[1].body == "No answer within 1 s."


def test_a_name_is_short_for_the_resources_of_that_user() -> None:
    class Echo(RequestHandler):
        def get(self) -> None:
            self.write(self.get_argument("user"))

    f = watch(Application([("/resources/", Echo)]), ["ada", "grace & co"])
    assert [answer.body for answer in f.answers] == ["ada", "grace & co"]
    assert f.lanes == ["ada", "grace & co"]


# Lanes


class WhoAmI(RequestHandler):
    def get(self) -> None:
        mine = LANE.get()
        self.write(mine.name if mine else "nobody")


async def raw(port: int, request: bytes, *, hang_up: bool = False) -> bytes:
    """Send bytes, and return all that comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if hang_up:
        writer.write_eof()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return re.sub(rb"Date: [^\r]*\r\n", b"", answer)


@contextlib.contextmanager
def serving(app: Any, **options: Any) -> Iterator[int]:
    [sock] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app, **options)
    server.add_sockets([sock])
    try:
        yield sock.getsockname()[1]
    finally:
        server.stop()


def request_for(path: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "127.0.0.1"}))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/resources/?user=ada", "ada"),
        ("/?user=ada&user=grace", "grace"),
        ("/?user=%C3%A9", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("/?user=%FF", "\N{REPLACEMENT CHARACTER}"),
        ("/?user=", "/"),
        ("/?user=+", "/"),
        ("/a/b?c=d", "/a/b"),
    ],
)
def test_a_request_is_named_after_its_user_or_its_path(path: str, name: str) -> None:
    assert by_user(request_for(path)) == name


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        ({}, "ada"),
        ({"lane": lambda request: request.headers["Host"][:3]}, "127"),
        ({"lane": lambda _: None}, "nobody"),
        ({"lane": None}, "nobody"),
    ],
)
def test_an_application_can_name_its_lanes(setting: dict[str, Any], body: str) -> None:
    f = watch(Application([("/", WhoAmI)], **setting), "/?user=ada")
    assert f.answers == [(200, body)]
    assert f.lanes == ([] if body == "nobody" else [body])


def test_the_lane_of_the_client_stays_with_the_client() -> None:
    async def experiment() -> bytes:
        async with running(Application([("/", WhoAmI)])) as url:
            with lane("client"):
                response = await AsyncHTTPClient().fetch(url)
            assert LANE.get() is None
        return response.body

    assert asyncio.run(experiment()) == b"/"


def test_a_connection_that_is_kept_alive_keeps_no_lane() -> None:
    class Spy(HTTPServerConnectionDelegate):
        def start_request(self, *args: Any) -> Any:
            between.append(LANE.get())
            return labelled(app).start_request(*args)

    class Streamed(WhoAmI):
        def data_received(self, chunk: bytes) -> None:
            pass

        post = WhoAmI.get

    between: list[Any] = []
    app = Application([("/", WhoAmI), ("/streamed", stream_request_body(Streamed))])
    requests = (
        b"GET /?user=ada HTTP/1.1\r\nHost: x\r\n\r\n"
        b"POST /streamed?user=grace HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )

    async def experiment() -> bytes:
        with serving(Spy()) as port:
            return await raw(port, requests)

    answers = asyncio.run(experiment())
    assert re.findall(rb"\r\n\r\n(ada|grace|/)", answers) == [b"ada", b"grace", b"/"]
    assert between[:3] == [None] * 3


def test_a_lane_ends_with_its_block() -> None:
    with lane("outer"):
        with pytest.raises(ZeroDivisionError), lane("inner"):
            raise ZeroDivisionError
        assert LANE.get().name == "outer"  # type: ignore[union-attr]
    assert LANE.get() is None


class Everything(RequestHandler):
    def get(self) -> None:
        self.set_etag_header()
        self.write({"ip": self.request.remote_ip, "arguments": repr(self.request.arguments)})

    head = post = put = get


@stream_request_body
class Streaming(RequestHandler):
    async def prepare(self) -> None:
        self.chunks: list[bytes] = []
        await asyncio.sleep(0)

    async def data_received(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        await asyncio.sleep(0)

    async def post(self) -> None:
        self.write(b"".join(self.chunks))
        await self.flush()
        self.write("more")


HEAD = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
RAW_REQUESTS = {
    "get": b"GET /?a=b" + HEAD + b"\r\n",
    "head": b"HEAD /" + HEAD + b"\r\n",
    "http/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "form": b"POST /" + HEAD + FORM,
    "continue": b"POST /" + HEAD + b"Expect: 100-continue\r\n" + FORM,
    "chunked": b"POST /" + HEAD + CHUNKS,
    "streaming": b"POST /streaming" + HEAD + CHUNKS,
    "pipelined": b"GET /?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /?2" + HEAD + b"\r\n",
    "proxied": b"GET /" + HEAD + b"X-Real-Ip: 10.1.2.3\r\n\r\n",
    "not found": b"GET /nowhere" + HEAD + b"\r\n",
    "not allowed": b"DELETE /" + HEAD + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
    "nonsense": b"nonsense\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", RAW_REQUESTS.values(), ids=RAW_REQUESTS)
def test_a_labelled_server_answers_as_a_plain_one_does(request_bytes: bytes) -> None:
    app = Application([("/", Everything), ("/streaming", Streaming)])

    async def answer(served: Any) -> bytes:
        with serving(served, xheaders=True) as port:
            return await raw(port, request_bytes)

    plain = asyncio.run(answer(app))
    assert asyncio.run(answer(labelled(app))) == plain
    assert plain.startswith(b"HTTP/1.1 ")


def test_a_streamed_body_belongs_to_the_lane_from_its_headers_on() -> None:
    seen: list[Any] = []

    @stream_request_body
    class Upload(RequestHandler):
        def prepare(self) -> None:
            seen.append(LANE.get())

        def data_received(self, chunk: bytes) -> None:
            seen.append(LANE.get())

        def post(self) -> None:
            seen.append(LANE.get())

        def on_connection_close(self) -> None:
            seen.append(LANE.get())
            gone.set()

    async def experiment() -> None:
        nonlocal gone
        gone = asyncio.Event()
        with serving(labelled(Application([("/", Upload)]))) as port:
            start = b"POST /?user=ada" + HEAD + b"Content-Length: 2\r\n\r\n"
            await raw(port, start + b"hi")
            await raw(port, start + b"h", hang_up=True)
            async with asyncio.timeout(10):
                await gone.wait()

    gone: asyncio.Event
    asyncio.run(experiment())
    assert [mine.name for mine in seen] == ["ada"] * 6
    assert len({id(mine) for mine in seen}) == 2


def test_a_websocket_has_a_lane_too() -> None:
    class Socket(WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            mine = LANE.get()
            self.write_message(f"{mine.name if mine else 'nobody'}: {message!r}")

    async def experiment() -> Any:
        async with running(Application([("/", Socket)])) as url:
            socket = await websocket_connect(f"ws{url.removeprefix('http')}/?user=ada")
            await socket.write_message("hi")
            heard = await socket.read_message()
            socket.close()
            return heard

    assert asyncio.run(experiment()) == "ada: 'hi'"


def test_a_router_can_be_labelled() -> None:
    router = RuleRouter([Rule(PathMatches("/a"), Application([("/a", WhoAmI)]))])

    async def experiment() -> list[bytes]:
        with serving(labelled(router)) as port:
            return [await raw(port, b"GET " + path + HEAD + b"\r\n") for path in (b"/a", b"/b")]

    found, lost = asyncio.run(experiment())
    assert found.endswith(b"/a")
    assert b"404" in lost
