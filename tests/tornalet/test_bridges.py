"""Other bridges between plain code and coroutines stand on the same loop, in the same task.

greenback and SQLAlchemy have one each, made of greenlets too. The plain code at the end of a
bridge is Bob's, which asks through `requests` with `setup_session()`.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import greenback
import pytest
import requests
from greenlet import getcurrent, greenlet
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.util.concurrency import await_only, greenlet_spawn

from loopfilm import running, running_apart
from stormy_demo import bobs_big_data
from stormy_demo.backend import Backend
from tests.awaitables import fail, soon
from tornalet import can_wait, run, wait
from trequests import ENGINES, setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

USER: contextvars.ContextVar[str] = contextvars.ContextVar("USER", default="nobody")


@pytest.fixture(params=[engine for engine in ENGINES if engine != "curl"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestGreenback:
    """A task with a portal: plain code in it may call `greenback.await_`, anywhere."""

    async def test_each_bridge_carries_under_the_other(self) -> None:
        def both() -> list[Any]:
            return [
                wait(soon("wait")),
                greenback.await_(soon("await_")),
                wait(soon("wait again")),
            ]

        await greenback.ensure_portal()
        expected = ["wait", "await_", "wait again"]
        assert await run(both) == expected
        assert await greenback.with_portal_run(run, both) == expected

    async def test_a_portal_for_this_call_only(self) -> None:
        def both() -> list[Any]:
            return [greenback.await_(soon("await_")), wait(soon("wait"))]

        assert await greenback.with_portal_run(run, both) == ["await_", "wait"]
        assert not greenback.has_portal()

    async def test_a_portal_that_is_made_while_plain_code_waits(self) -> None:
        """From then on the task runs in another greenlet than the one that `run` began in."""

        def plain() -> list[Any]:
            return [
                wait(soon("before")),
                wait(greenback.ensure_portal()),
                greenback.await_(soon("await_")),
                wait(soon("wait")),
            ]

        assert await run(plain) == ["before", None, "await_", "wait"]

    async def test_outside_of_run_only_greenback_can_wait(self) -> None:
        def plain() -> Any:
            assert not can_wait()
            with pytest.raises(RuntimeError, match="needs plain code that @tornalet"):
                wait(soon("wait"))
            return greenback.await_(soon("await_"))

        await greenback.ensure_portal()
        assert plain() == "await_"

    async def test_without_a_portal_only_tornalet_can_wait(self) -> None:
        def plain() -> Any:
            with pytest.raises(RuntimeError, match="must create a greenback portal"):
                greenback.await_(soon("await_"))
            return wait(soon("wait"))

        assert await run(plain) == "wait"

    async def test_through_the_portal_into_a_coroutine_that_runs_plain_code(self) -> None:
        def outer() -> str:
            return f"outer {greenback.await_(middle())}"

        async def middle() -> str:
            return f"middle {await run(inner)}"

        def inner() -> str:
            return f"inner {wait(soon('wait'))} {greenback.await_(soon('await_'))}"

        await greenback.ensure_portal()
        assert outer() == "outer middle inner wait await_"
        assert await run(outer) == "outer middle inner wait await_"

    async def test_exceptions_pass_both_bridges(self) -> None:
        seen = list[BaseException]()

        def inner() -> None:
            for bridge in (wait, greenback.await_):
                try:
                    bridge(fail(KeyError("ada")))
                except KeyError as error:
                    seen.append(error)
            raise ValueError("grace")

        def outer() -> None:
            greenback.await_(run(inner))

        await greenback.ensure_portal()
        with pytest.raises(ValueError, match="grace"):
            await run(outer)
        assert [type(error) for error in seen] == [KeyError, KeyError]

    @pytest.mark.parametrize("bridge", [wait, greenback.await_])
    async def test_a_cancellation_reaches_plain_code_and_leaves_it(
        self, bridge: Callable[[Any], Any]
    ) -> None:
        """It finds the plain code wherever it waits, and plain code may wait for its end."""
        seen = list[object]()
        waits = asyncio.Event()

        def plain() -> None:
            try:
                waits.set()
                bridge(asyncio.Event().wait())
            except asyncio.CancelledError as error:
                seen.append(type(error))
                seen.append(wait(soon("wait")))
                seen.append(greenback.await_(soon("await_")))
                raise

        async def main() -> None:
            await greenback.ensure_portal()
            await run(plain)

        task = asyncio.create_task(main())
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen == [asyncio.CancelledError, "wait", "await_"]

    async def test_both_bridges_keep_the_context(self) -> None:
        async def whoami() -> str:
            await asyncio.sleep(0)
            return USER.get()

        def plain() -> list[str]:
            users = [USER.get(), wait(whoami()), greenback.await_(whoami())]
            USER.set("grace")
            return [*users, USER.get(), greenback.await_(whoami()), wait(whoami())]

        USER.set("ada")
        await greenback.ensure_portal()
        assert await run(plain) == ["ada", "ada", "ada", "grace", "grace", "grace"]
        assert USER.get() == "grace"

    async def test_requests_wait_politely_under_a_portal(self, engine: str) -> None:
        """Nobody gets an answer before all have asked; to block the loop is to wait in vain."""

        async def below() -> int:
            await greenback.ensure_portal()
            return await run(bobs_big_data.ask, url, "messages", "ada", 500)

        async def beside() -> int:
            return await run(bobs_big_data.ask, url, "messages", "ada", 500)

        def through() -> int:
            return int(greenback.await_(beside()))

        async def around() -> int:
            await greenback.ensure_portal()
            return through()

        async with running(Backend(together=9).app) as url:
            with setup_session(engine=engine):
                visitors = [visitor() for visitor in 3 * [below, beside, around]]
                assert await asyncio.gather(*visitors) == [3] * 9

    async def test_a_portal_alone_is_no_place_for_polite_requests(self, engine: str) -> None:
        """There `wait` has nobody to turn to, so it blocks as ever, and warns."""
        await greenback.ensure_portal()
        with (
            running_apart(Backend().app) as url,
            setup_session(engine=engine),
            pytest.warns(RuntimeWarning, match="blocks the event loop"),
        ):
            assert bobs_big_data.ask(url, "messages", "ada", 500) == 3


class TestSQLAlchemy:
    """`greenlet_spawn` is its `run`, and `await_only` is its `wait`."""

    async def test_a_coroutine_below_plain_code_may_use_it(self) -> None:
        def outer() -> str:
            return f"outer {wait(greenlet_spawn(inner, 'ada'))} {wait(soon('wait'))}"

        def inner(user: str) -> str:
            return f"{user} {await_only(soon('await_only'))}"

        assert await run(outer) == "outer ada await_only wait"

    async def test_a_coroutine_below_its_plain_code_may_use_run(self) -> None:
        def outer() -> str:
            return f"outer {await_only(run(inner, 'ada'))} {await_only(soon('await_only'))}"

        def inner(user: str) -> str:
            return f"{user} {wait(soon('wait'))}"

        assert await greenlet_spawn(outer) == "outer ada wait await_only"

    async def test_many_floors(self) -> None:
        def plain(floors: int) -> Any:
            return wait(greenlet_spawn(database, floors - 1)) if floors else wait(soon("roof"))

        def database(floors: int) -> Any:
            return await_only(run(plain, floors - 1)) if floors else await_only(soon("roof"))

        assert await run(plain, 10) == "roof"
        assert await greenlet_spawn(database, 10) == "roof"
        assert await greenlet_spawn(database, 11) == "roof"

    async def test_each_tells_the_other_s_plain_code_from_its_own(self) -> None:
        def mine() -> None:
            assert can_wait()
            with pytest.raises(MissingGreenlet):
                await_only(soon("never"))

        def theirs() -> None:
            assert not can_wait()
            with pytest.raises(RuntimeError, match="here nobody could await for it"):
                wait(soon("never"))

        await run(mine)
        await greenlet_spawn(theirs)
        # Also where the one is further down: what counts is who started this plain code.
        await run(lambda: wait(greenlet_spawn(theirs)))
        await greenlet_spawn(lambda: await_only(run(mine)))

    async def test_exceptions_pass_both_bridges(self) -> None:
        def inner() -> None:
            with pytest.raises(KeyError):
                await_only(fail(KeyError("ada")))
            raise ValueError("grace")

        def outer() -> None:
            wait(greenlet_spawn(inner))

        with pytest.raises(ValueError, match="grace"):
            await run(outer)
        with pytest.raises(ValueError, match="grace"):
            await greenlet_spawn(lambda: await_only(run(outer)))

    async def test_a_cancellation_passes_all_floors(self) -> None:
        seen = list[str]()
        waits = asyncio.Event()

        def inner() -> None:
            try:
                waits.set()
                wait(asyncio.Event().wait())
            finally:
                seen.append(f"inner {wait(soon('tidies up'))}")

        def outer() -> None:
            try:
                await_only(run(inner))
            finally:
                seen.append(f"outer {await_only(soon('tidies up'))}")

        task = asyncio.create_task(greenlet_spawn(outer))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen == ["inner tidies up", "outer tidies up"]

    async def test_requests_wait_politely_on_every_floor(self, engine: str) -> None:
        """Nobody gets an answer before all have asked; to block the loop is to wait in vain."""

        def ask() -> int:
            return bobs_big_data.ask(url, "messages", "ada", 500)

        def database() -> Any:
            return await_only(run(ask))

        def plain() -> Any:
            return wait(greenlet_spawn(database))

        async with running(Backend(together=9).app) as url:
            with setup_session(engine=engine):
                visitors = [
                    *(run(ask) for _ in range(3)),
                    *(run(plain) for _ in range(3)),
                    *(greenlet_spawn(database) for _ in range(3)),
                ]
                assert await asyncio.gather(*visitors) == [3] * 9

    async def test_its_plain_code_alone_is_no_place_for_polite_requests(
        self, engine: str
    ) -> None:
        """It blocks the loop as ever, and the warning names the line."""

        def ask() -> int:
            return requests.get(f"{url}/messages?user=ada", timeout=500).status_code

        with (
            running_apart(Backend().app) as url,
            setup_session(engine=engine),
            pytest.warns(RuntimeWarning, match="blocks the event loop") as caught,
        ):
            assert await greenlet_spawn(ask) == 200
        assert caught[0].filename == __file__
        assert caught[0].lineno == ask.__code__.co_firstlineno + 1


class TestOtherGreenlets:
    """Plain code may make greenlets of its own, or a library that it calls."""

    async def test_it_waits_in_one_and_in_one_inside_of_that(self) -> None:
        def plain() -> list[Any]:
            deeper = greenlet(lambda: greenlet(lambda: wait(soon("two"))).switch())
            one = greenlet(lambda: wait(soon("one"))).switch()
            return [one, deeper.switch(), wait(soon("none"))]

        assert await run(plain) == ["one", "two", "none"]

    async def test_two_that_take_turns(self) -> None:
        def give(back: greenlet) -> None:
            for each in range(3):
                back.switch(wait(soon(each)))

        def plain() -> list[Any]:
            giver = greenlet(give)
            given = [giver.switch(getcurrent())]
            while len(given) < 3:
                given += [wait(soon("mine")), giver.switch()]
            return given

        assert await run(plain) == [0, "mine", 1]

    async def test_an_error_arrives_where_it_waits(self) -> None:
        def inner() -> str:
            with pytest.raises(LookupError, match="nobody"):
                wait(fail(LookupError("nobody")))
            return "caught"

        assert await run(lambda: greenlet(inner).switch()) == "caught"

    @pytest.mark.parametrize("end", ["cancel", "close"])
    async def test_an_end_arrives_where_it_waits(self, end: str) -> None:
        events = list[type[BaseException]]()

        def inner() -> None:
            try:
                wait(asyncio.Event().wait())
            except BaseException as error:
                events.append(type(error))
                raise

        coroutine = run(lambda: greenlet(inner).switch())
        if end == "close":
            coroutine.send(None)
            coroutine.close()
            assert events == [GeneratorExit]
            return
        task = asyncio.create_task(coroutine)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert events == [asyncio.CancelledError]

    async def test_one_that_outlives_its_maker_can_wait_no_more(self) -> None:
        def outlives(back: greenlet) -> None:
            back.switch(getcurrent())
            assert not can_wait()
            with pytest.raises(RuntimeError, match="here nobody could await for it"):
                wait(soon("never"))

        left: greenlet = await run(lambda: greenlet(outlives).switch(getcurrent()))
        left.switch()
        assert left.dead

    @pytest.mark.parametrize("engine", ENGINES)
    async def test_a_request_in_one_holds_nobody_up(self, engine: str) -> None:
        if engine == "curl":
            pytest.importorskip("pycurl")

        def ask() -> Any:
            return greenlet(bobs_big_data.ask).switch(url, "messages", "ada", 500)

        # Nobody gets an answer before all three have asked.
        async with running(Backend(together=3).app) as url:
            with setup_session(engine=engine):
                assert await asyncio.gather(*(run(ask) for _ in range(3))) == [3] * 3


class TestAllAtOnce:
    async def test_three_bridges_in_one_task(self, engine: str) -> None:
        def top() -> list[Any]:
            return [
                greenback.await_(soon("greenback")),
                wait(greenlet_spawn(database)),
                wait(soon("tornalet")),
            ]

        def database() -> list[Any]:
            return [
                await_only(soon("sqlalchemy")),
                greenback.await_(soon("greenback")),
                await_only(run(bottom)),
            ]

        def bottom() -> list[Any]:
            return [
                bobs_big_data.ask(url, "messages", "ada", 500),
                greenback.await_(soon("greenback")),
                wait(soon("tornalet")),
            ]

        async def visitor() -> list[Any]:
            await greenback.ensure_portal()
            return await run(top)

        at_the_bottom = [3, "greenback", "tornalet"]
        expected = ["greenback", ["sqlalchemy", "greenback", at_the_bottom], "tornalet"]
        async with running(Backend(together=5).app) as url:
            with setup_session(engine=engine):
                answers = await asyncio.gather(*(visitor() for _ in range(5)))
        assert answers == [expected] * 5
