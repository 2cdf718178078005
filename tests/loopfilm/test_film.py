"""The film says who had the event loop, and leaves no trace when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

from loopfilm import Film, film, lane, running
from tests.loopfilm.servers import (
    ALL_THREE,
    HANGS,
    LONG,
    Blocking,
    clock,
    drawn,
    meet,
    recorded,
    request,
    together,
    turns_of_the_loop,
    watch,
)
from tornalet import tornalet, wait

pytestmark = pytest.mark.usefixtures("measured_by_hand")

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
        len({str(watch(together(5), [f"/?user=u{n}" for n in range(5)])) for _ in range(3)})
        == 1
    )


def test_one_who_blocks_among_those_who_wait_is_named() -> None:
    class GraceBlocks(RequestHandler):
        async def get(self) -> None:
            await meet(self.settings)
            if self.get_argument("user") == "grace":
                clock.block()

    f = watch(together(3, GraceBlocks), ALL_THREE)
    assert str(f) == "ada, grace and alan: 3 at once. grace held the loop."


def test_red_says_how_long_is_too_long() -> None:
    app = Application([("/", Blocking)])
    assert watch(app, ALL_THREE, red=LONG + 0.05).held == []
    assert watch(app, ALL_THREE, red=LONG - 0.05).held == ["ada", "grace", "alan"]


def test_who_held_the_loop_twice_is_named_once() -> None:
    ada, grace = request("ada"), request("grace")
    f = recorded((grace, 1, 2), (ada, 3, 4), (grace, 5, 6))
    assert f.held == ["grace", "ada"]


def test_who_was_there_before_a_question_comes_before_it() -> None:
    f = recorded((request("ada"), 1, 2))
    clock.now = 5
    f.asked("grace")
    assert f.lanes == ["ada", "grace"]


def test_an_answer_in_a_step_that_is_not_in_the_film_changes_no_count() -> None:
    grace, alan = request("grace", finished=4), request("alan", finished=4)
    only_tidies = request("ada", finished=1.5)
    f = recorded((grace, 1, 1.1), (alan, 2, 2.1), (only_tidies, 5, 5.1))
    assert f.together == 2


class TestOnTheClockOnTheWall:
    """What a busy machine cannot change: a step that lasts is long, and nobody blocks less."""

    @pytest.fixture
    def measured_by_hand(self) -> None:
        """Nothing is."""

    def test_who_sleeps_holds_the_loop(self) -> None:
        class Sleeps(RequestHandler):
            def get(self) -> None:
                time.sleep(0.06)

        f = watch(Application([("/", Sleeps)]), ALL_THREE, red=0.05)
        assert f.held == ["ada", "grace", "alan"]
        assert f.together == 1

    def test_who_waits_does_not(self) -> None:
        f = watch(together(3), ALL_THREE, red=HANGS)
        assert str(f) == "ada, grace and alan: 3 at once. Nobody held the loop."


def test_a_crowd_is_told_in_short() -> None:
    f = watch(together(20), [f"/?user=u{n}" for n in range(20)])
    assert str(f) == "u0, u1, u2 and 17 others: 20 at once. Nobody held the loop."


def test_a_crowd_that_blocks_is_told_in_short() -> None:
    class Brief(RequestHandler):
        def get(self) -> None:
            clock.block(0.02)

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


def test_a_name_is_one_line_that_a_terminal_can_show_and_not_too_long() -> None:
    long = "x" * 60_000
    f = watch(together(3), ["/?user=a%1B%5B31m%07%0Ad", f"/?user={long}", f"/?user={long}"])
    odd = "a\N{REPLACEMENT CHARACTER}[31m" + 2 * "\N{REPLACEMENT CHARACTER}" + "d"
    short = "x" * 199 + "\N{HORIZONTAL ELLIPSIS}"
    assert str(f) == f"{odd}, {short} and {short} 2: 3 at once. Nobody held the loop."


def test_who_held_the_loop_has_such_a_name_too() -> None:
    [hold] = recorded((request("a\x1b[2Jda\x07"), 0.0, 1.0)).held_at
    assert str(hold).startswith("a\N{REPLACEMENT CHARACTER}[2Jda\N{REPLACEMENT CHARACTER} held")


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
                clock.block()
                done.set_result(None)

            IOLoop.current().add_future(asyncio.ensure_future(meet(self.settings)), met)
            return done

    class Coroutines(RequestHandler):
        async def get(self) -> None:
            await meet(self.settings)
            clock.block()

    class Generators(RequestHandler):
        @gen.coroutine
        def get(self) -> Iterator[Any]:
            yield meet(self.settings)
            clock.block()

    class Greenlets(RequestHandler):
        @tornalet
        def get(self) -> None:
            wait(meet(self.settings))
            wait(asyncio.create_task(self.blocks()))

        async def blocks(self) -> None:
            clock.block()

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
                await AsyncHTTPClient().fetch(url, request_timeout=HANGS)
        return films[0]

    f = asyncio.run(experiment())
    assert f.lanes == []
    assert len(f.steps) > 0


def test_the_cell_itself_is_no_lane() -> None:
    async def experiment() -> Film:
        await turns_of_the_loop()
        with film() as f:
            clock.block()
            with lane("nobody"):
                clock.block()
            await turns_of_the_loop()
            clock.block()
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
    reported: list[dict[str, Any]] = []

    def fails() -> None:
        raise ValueError("as it should")

    async def experiment() -> Film:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context))
        with film() as f:
            with lane("fails"):
                loop.call_soon(fails)
            await turns_of_the_loop()
        return f

    assert asyncio.run(experiment()).lanes == ["fails"]
    assert [str(context["exception"]) for context in reported] == ["as it should"]


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
    meeting = threading.Barrier(2, timeout=HANGS)

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


def test_a_film_is_gone_when_nobody_has_it_any_more() -> None:
    async def experiment() -> weakref.ref[Film]:
        with film() as f:
            await turns_of_the_loop()
        return weakref.ref(f)

    gc.disable()
    try:
        assert asyncio.run(experiment())() is None
    finally:
        gc.enable()


def test_the_heartbeat_is_in_nobodys_lane() -> None:
    async def experiment() -> Film:
        with lane("ada"), film() as f:
            while len(f.record.beats) < 3:
                await asyncio.sleep(0.01)
        return f

    f = asyncio.run(experiment())
    for beat in f.record.beats[:3]:
        [step] = [step for step in f.record.steps if step[1] < beat < step[2]]
        assert step[0] is None


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


def test_what_somebody_else_put_on_the_loop_is_put_back() -> None:
    async def experiment() -> None:
        loop = asyncio.get_running_loop()
        original, calls = loop.create_task, list[object]()

        def theirs(coro: Any, **options: Any) -> asyncio.Task[Any]:
            calls.append(coro)
            return original(coro, **options)

        loop.create_task = theirs  # type: ignore[method-assign, assignment]
        with film():
            await asyncio.create_task(turns_of_the_loop())
        assert loop.create_task is theirs
        assert len(calls) == 1

    asyncio.run(experiment())


def test_a_step_in_which_a_film_within_a_film_began_is_not_in_it() -> None:
    async def experiment() -> list[Film]:
        with film() as outer:
            await turns_of_the_loop()
            clock.block()
            with film() as inner:
                await turns_of_the_loop()
            await turns_of_the_loop()
        return [outer, inner]

    for f in asyncio.run(experiment()):
        assert all(step.start >= 0 for step in f.steps)


def test_a_film_that_the_garbage_collector_ends_while_another_begins() -> None:
    async def experiment() -> Film:
        forgotten = film()
        forgotten.__enter__()
        cycle: list[Any] = [forgotten]
        cycle.append(cycle)
        del forgotten, cycle
        with film() as f:
            gc.collect()
            with lane("ada"):
                await asyncio.create_task(turns_of_the_loop())
        return f

    assert asyncio.run(experiment()).lanes == ["ada"]
    assert not patched()


def test_a_film_keeps_no_task_alive() -> None:
    async def experiment() -> None:
        with film(), lane("ada"):
            task = asyncio.create_task(turns_of_the_loop())
            await task
            kept = weakref.ref(task)
            del task
            await turns_of_the_loop()
            gc.collect()
            assert kept() is None

    asyncio.run(experiment())


def test_an_unnamed_task_that_holds_the_loop_is_seen_beside_named_ones() -> None:
    async def quiet() -> None:
        await asyncio.sleep(0)
        clock.block()

    async def experiment() -> Film:
        with film() as f:
            named = asyncio.create_task(turns_of_the_loop(), name="ada")
            await asyncio.gather(named, quiet(), turns_of_the_loop())
        return f

    f = asyncio.run(experiment())
    assert f.held == ["quiet"]
    assert f.lanes == ["ada", "quiet"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_no_films() -> None:
    async def experiment() -> int:
        with film(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
            if child == 0:
                os._exit(1 if patched() else 0)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert asyncio.run(experiment()) == 0
