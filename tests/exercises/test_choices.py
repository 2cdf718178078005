"""What the right option of a choice says is what really happens."""

from __future__ import annotations

import ast
import asyncio
import functools
import inspect
import multiprocessing
import queue
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import requests
from tornado.concurrent import Future
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler

from classroom import in_a_process, logs, material, on_a_loop
from classroom.catalogue import every
from classroom.examining.kinds import Choice
from classroom.examining.verdict import Verdict
from loopfilm import running, running_apart
from stormy_demo.backend import Backend
from tests.kernels import PATIENCE, running_kernel
from tests.paths import ROOT
from tools import refresh

EXERCISES = every()
suspects = material("find_blocking", "suspects")
three_films = material("find_blocking", "films").three_films
five = material("name_the_cure", "films")
patients = material("name_the_cure", "handlers")


def page(name: str) -> list[str]:
    """The cells of a choice as they stand in its notebook, up to its answer."""
    exercise = EXERCISES[name]
    book = refresh.read(ROOT / "notebooks" / f"{exercise.notebook}.ipynb")
    starts = [i for i, c in enumerate(book.cells) if c.metadata.get("exercise") == name]
    if not starts:
        pytest.skip(f"{name} is not in its notebook")
    cells = []
    for cell in book.cells[starts[0] :]:
        if cell.source.startswith("%%exercise "):
            break
        cells.append(str(cell.source))
    return cells


def right_option(name: str, question: str = "answer") -> str:
    """The letter of the right option."""
    exercise = EXERCISES[name]
    assert isinstance(exercise, Choice)
    options = exercise.questions[question]
    return next(option for option, mistake in options.items() if mistake is None)


def text_of(option: str, cells: list[str]) -> str:
    """What the page says of an option: a line of a list, or a row of a table."""
    found = re.search(rf"^[-|] \*\*{option}\*\*[:| ]*(.+)$", "\n".join(cells), re.MULTILINE)
    assert found, option
    return found[1]


class TestWhatIsWritten:
    """It counts as what it says, in whichever clothes it comes."""

    @pytest.mark.parametrize(
        "cell",
        [
            'answer = "{}"',
            "answer = {}",
            'answer = ("{}")',
            'answer = "{}",',
            'answer = ["{}"]',
            'answer: str = "{}"',
            'answer = f"{}"',
            '(answer := "{}")',
            'answer = films = "{}"',
            'answer, other = "{}", "x"',
            'answer = "({})"',
            'answer = " {}) "',
            'answer = "{}."',
            'answer = "option {}"',
            'answer = "x"\nanswer = "{}"',
        ],
    )
    def test_of_one_question(self, cell: str) -> None:
        right = right_option("order_of_turns")
        for letter in (right, right.upper()):
            assert judged("order_of_turns", cell.format(letter)).right
        assert judged("order_of_turns", cell.format("a")).mistake == "at_once"

    @pytest.mark.parametrize(
        "cell",
        [
            'films = "{films}"\nline = "{line}"',
            'films, line = "{films}", "line {line}"',
            '[line, films] = ["{line})", "{films}"]',
        ],
    )
    def test_of_two_questions(self, cell: str) -> None:
        right = {name: right_option("find_blocking", name) for name in ("films", "line")}
        assert judged("find_blocking", cell.format(**right)).right

    def test_one_or_many_is_the_same(self) -> None:
        words = {"one": "greenlet", "two": "rewrites", "three": "processes", "four": "thread"}
        cell = "\n".join(f'{name} = "{word}"' for name, word in words.items())
        assert judged("way_out", cell).right

    @pytest.mark.parametrize("words", ["b or c", "I think it is c", "not c", "y", ""])
    def test_what_says_no_option_is_none(self, words: str) -> None:
        assert judged("order_of_turns", f'answer = "{words}"').mistake == "no_option"


def judged(name: str, cell: str) -> Verdict:
    """The verdict on an answer to a choice."""
    exercise = EXERCISES[name]
    assert isinstance(exercise, Choice)
    return exercise.judge(ast.parse(cell))


def test_order_of_turns() -> None:
    cells = page("order_of_turns")
    [script] = [cell for cell in cells if "def riddle" in cell]
    order: list[str] = []
    names = {"IOLoop": IOLoop, "Future": Future, "order": order}
    exec(script, names)
    riddle = names["riddle"]
    assert callable(riddle)
    on_a_loop(riddle)
    assert text_of(right_option("order_of_turns"), cells) == ", ".join(order)


class TestFindBlocking:
    # The films of the handlers, as they are known to be.
    FILMS = {  # noqa: RUF012
        "Menu": (["ada", "grace", "alan"], 3),
        "Letters": ([], 3),
        "Rates": (["ada"], 3),
    }

    def test_the_films_stand_in_the_order_of_the_right_option(self) -> None:
        row = text_of(right_option("find_blocking", "films"), page("find_blocking"))
        handlers = re.findall(r"`(\w+)`", row)
        assert sorted(handlers) == sorted(self.FILMS)
        films = three_films()
        assert [(f.held, f.together) for f in films] == [self.FILMS[h] for h in handlers]
        assert all(answer.status == 200 for f in films for answer in f.answers)

    async def test_of_film_1_the_line_to_blame_is_the_one_that_calls_the_library_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = inspect.getsource(suspects.Rates)
        [blamed] = re.findall(r"look_up\(.*# line (\w)$", source, re.MULTILINE)
        begun = list[str]()

        def look_up(word: str) -> str:
            begun.append(word)
            return word

        monkeypatch.setattr(suspects, "look_up", look_up)
        app = Application([(r"/", suspects.Rates, {"known": {}})])
        async with running(app) as url:
            client = AsyncHTTPClient(force_instance=True)
            await asyncio.gather(*(client.fetch(url) for _ in range(3)))
        assert begun == ["rates"]
        assert blamed == right_option("find_blocking", "line")


class TestTwoTabs:
    async def test_the_server_serves_two_identical_requests_at_once(self) -> None:
        """Neither is answered before both have come, so it cannot be the server that waits."""
        come: list[RequestHandler] = []
        both = asyncio.Event()

        class Slow(RequestHandler):
            async def get(self) -> None:
                come.append(self)
                if len(come) == 2:
                    both.set()
                await both.wait()
                self.write("here you are")

        async with running(Application([(r"/", Slow)])) as url:
            client = AsyncHTTPClient(force_instance=True)
            tabs = await asyncio.gather(client.fetch(url), client.fetch(url))
        assert [tab.body for tab in tabs] == [b"here you are"] * 2
        assert "browser" in text_of(right_option("two_tabs"), page("two_tabs"))

    async def test_but_a_client_may_wait_with_the_second(self) -> None:
        """As a browser does: then the second comes when the first has been answered."""
        seen: list[str] = []

        class Slow(RequestHandler):
            async def get(self) -> None:
                seen.append("come")
                await asyncio.sleep(0)
                seen.append("answered")

        async with running(Application([(r"/", Slow)])) as url:
            client = AsyncHTTPClient(force_instance=True, max_clients=1)
            await asyncio.gather(client.fetch(url), client.fetch(url))
        assert seen == ["come", "answered"] * 2


class Skipping(asyncio.SelectorEventLoop):
    """A loop that puts its clock forward where it would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0].when())
        super()._run_once()


class TestPeriodic:
    @pytest.fixture
    def play(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
        """Play something on a loop whose hours pass in no time."""
        loop = Skipping()
        monkeypatch.setattr(IOLoop, "time", lambda _: loop.now)
        yield lambda function: loop.run_until_complete(function())
        loop.close()

    def test_the_calls_begin_when_the_right_option_says(
        self, play: Callable[..., None]
    ) -> None:
        cells = page("periodic")
        [script] = [cell for cell in cells if "def tick" in cell]
        names = {"asyncio": asyncio}
        exec(script, names)
        tick = names["tick"]
        assert callable(tick)
        begun: list[float] = []

        async def noted() -> None:
            begun.append(asyncio.get_running_loop().time())
            await tick()

        async def script_of_the_test() -> None:
            callback = PeriodicCallback(noted, 1000)
            callback.start()
            await asyncio.sleep(11)
            callback.stop()

        play(script_of_the_test)
        stated = [float(t) for t in text_of(right_option("periodic"), cells).split(", ")[:4]]
        assert begun == pytest.approx(stated)

    async def test_no_call_begins_before_the_last_has_ended(self) -> None:
        """While two further periods pass, by a clock of its own."""
        events: list[str] = []
        passed = asyncio.Condition()
        done = asyncio.Event()

        async def beat() -> None:
            events.append("beat")
            async with passed:
                passed.notify_all()

        async def tick() -> None:
            events.append("begins")
            until = events.count("beat") + 3
            async with passed:
                await passed.wait_for(lambda: events.count("beat") >= until)
            events.append("ends")
            if events.count("ends") == 4:
                done.set()

        callbacks = [PeriodicCallback(beat, 10), PeriodicCallback(tick, 10)]
        for callback in callbacks:
            callback.start()
        await done.wait()
        for callback in callbacks:
            callback.stop()
        ticks = [event for event in events if event != "beat"]
        assert ticks[:8] == ["begins", "ends"] * 4
        assert ticks.count("begins") < events.count("beat")

    async def test_calls_that_leave_a_task_behind_do_overlap(self) -> None:
        """As all coroutines did until Tornado 6.1."""
        tasks: list[asyncio.Task[bool]] = []
        three = asyncio.Event()

        def tick() -> None:
            tasks.append(asyncio.create_task(three.wait()))
            if len(tasks) == 3:
                assert not any(task.done() for task in tasks)
                three.set()

        callback = PeriodicCallback(functools.partial(tick), 10)
        callback.start()
        await three.wait()
        callback.stop()
        await asyncio.wait(tasks)


class TestMonkeyPatch:
    @pytest.fixture(autouse=True)
    def gevent(self) -> None:
        pytest.importorskip("gevent", reason="gevent is only locked for Linux on x86-64")

    def test_in_a_server_the_loop_is_held_as_before(self) -> None:
        backend = Backend(0.2)
        with running_apart(backend.app) as url:
            said = in_a_process(
                "from gevent import monkey; monkey.patch_all()\n"
                "import asyncio\n"
                "from stormy_demo import blocking\n"
                "from loopfilm import visited\n"
                f"app = blocking.make_app({url!r})\n"
                "film = asyncio.run(visited(app, ['ada', 'grace', 'alan']))\n"
                # All three answers of the backend within one step of the loop.
                "print(film, [s.lane for s in film.steps if s.end - s.start > 0.5])"
            )
        assert "one after another." in said
        assert "['ada', 'grace', 'alan']" in said
        assert backend.most == 1
        option = text_of(right_option("monkey_patch"), page("monkey_patch"))
        assert "polite in neither" in option and "same staircase" in option

    def test_in_a_notebook_the_kernel_lives_and_answers_no_more(self) -> None:
        with running_kernel() as (kernel, client):
            begun = time.monotonic()
            for _ in range(100):
                reply = client.execute_interactive("1 + 1", timeout=PATIENCE)
                assert reply["content"]["status"] == "ok"
            as_long_as_a_hundred = time.monotonic() - begun
            client.execute("from gevent import monkey; monkey.patch_all()")
            client.execute("1 + 1")
            with pytest.raises(queue.Empty):
                client.get_shell_msg(timeout=as_long_as_a_hundred)
            assert kernel.is_alive()
        option = text_of(right_option("monkey_patch"), page("monkey_patch"))
        assert "does not answer any more" in option


class TestOtherLoop:
    def test_ten_go_through_and_the_eleventh_meets_the_closed_loop(self) -> None:
        [script] = [cell for cell in page("other_loop") if "def make_client" in cell]
        program = script.partition('"""')[2].rpartition('"""')[0]
        first, second = program.strip().splitlines()[-2:]
        assert (first.count("ten_"), second.count("eleven_")) == (1, 1)
        names: dict[str, Any] = {"asyncio": asyncio, "AsyncHTTPClient": AsyncHTTPClient}
        with running_apart(Backend().app) as url:
            for number, name in ((10, "ten_addresses"), (11, "eleven_addresses")):
                names[name] = [f"{url}/profile?user=p{n}" for n in range(number)]
            exec(program.replace(second, ""), names)
            with pytest.raises(RuntimeError, match="Event loop is closed"):
                exec(second, names)
        option = text_of(right_option("other_loop"), page("other_loop"))
        assert "The first works" in option and "*Event loop is closed*" in option


class TestBackPressure:
    PAGES = [b"x" * 1_000_000] * 50

    async def most_kept(self, source: str) -> int:
        """How much stands in the server's memory while its visitor reads nothing."""
        names: dict[str, Any] = {"RequestHandler": RequestHandler}
        exec(source, names)
        kept = list[int]()
        report: Any = names["Report"]
        begun = asyncio.Event()

        class Watched(report):
            def flush(self, *args: Any) -> Any:
                done = super().flush(*args)
                kept.append(len(self.request.connection.stream._write_buffer))
                begun.set()
                return done

        async with running(Application([(r"/", Watched)], pages=self.PAGES)) as url:
            stream = await TCPClient().connect("127.0.0.1", int(url.rpartition(":")[2]))
            await stream.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await begun.wait()
            for _ in range(100):
                await asyncio.sleep(0)
            stream.close()
        return max(kept)

    async def test_who_does_not_await_the_flush_keeps_nearly_all(self) -> None:
        [source] = [cell for cell in page("back_pressure") if "class Report" in cell]
        all_of_it = sum(map(len, self.PAGES))
        assert await self.most_kept(source) > 0.7 * all_of_it
        with logs():
            awaited = await self.most_kept(source.replace("self.flush", "await self.flush"))
        assert awaited < 0.1 * all_of_it
        assert "memory of the server" in text_of(
            right_option("back_pressure"), page("back_pressure")
        )


class Threaded(patients.Card):  # type: ignore[misc, name-defined]
    """The first, cured."""

    async def get(self) -> None:
        ask = functools.partial(requests.get, self.address("profile"), timeout=30)
        self.write((await asyncio.to_thread(ask)).json())


class Gathered(patients.Page):  # type: ignore[misc, name-defined]
    """The second, cured."""

    async def get(self) -> None:
        things = ("profile", "friends", "messages")
        for response in await asyncio.gather(
            *(self.client.fetch(self.address(thing)) for thing in things)
        ):
            self.write(response.body)


class Briefly(patients.Remembered):  # type: ignore[misc, name-defined]
    """The third, cured: the lock is held while something that it protects is touched."""

    async def get(self) -> None:
        response = await self.client.fetch(self.address("profile"))
        async with self.settings["lock"]:
            self.settings["known"][self.user] = response.body
        self.write(response.body)


class LetThrough(patients.Profile):  # type: ignore[misc, name-defined]
    """The fourth, cured."""

    async def get(self) -> None:
        self.client.max_clients = 12
        await super().get()


class Elsewhere(patients.Price):  # type: ignore[misc, name-defined]
    """The fifth, cured."""

    async def get(self) -> None:
        loop = asyncio.get_running_loop()
        price = await loop.run_in_executor(self.settings["pool"], patients.add_up)
        self.write({"price": price})


class TestNameTheCure:
    RIGHT = ("thread", "gather", "shorter", "clients", "process")

    def test_the_films_are_in_the_order_of_the_right_cures(self) -> None:
        assert [
            right_option("name_the_cure", q) for q in ("one", "two", "three", "four", "five")
        ]
        films = five.five_films()
        assert [(len(each.film.held), each.asked, each.at_once) for each in films] == [
            (2, 2, 1),
            (0, 3, 1),
            (0, 3, 1),
            (0, 12, 10),
            (2, 0, 0),
        ]
        assert [re.match(r"[\w.]+", each.longest)[0] for each in films] == [
            "requests.get",
            "self.client.fetch",
            "lock.acquire",
            "self.client.fetch",
            "sum",
        ]

    @pytest.mark.parametrize(
        ("question", "cure", "handler", "visitors", "at_once"),
        [
            ("one", "thread", Threaded, 3, 3),
            ("two", "gather", Gathered, 1, 3),
            ("three", "shorter", Briefly, 3, 3),
            ("four", "clients", LetThrough, 12, 12),
            ("five", "process", Elsewhere, 2, 0),
        ],
    )
    def test_the_cure_helps(
        self,
        question: str,
        cure: str,
        handler: type[RequestHandler],
        visitors: int,
        at_once: int,
    ) -> None:
        """The backend answers nobody before all questions have come."""
        assert right_option("name_the_cure", question) == cure
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            if question == "five":
                pool.submit(abs, 1).result()
            settings = {"known": {}, "lock": asyncio.Lock(), "pool": pool}
            names = [f"person {n}" for n in range(visitors)]
            # On a machine that is very busy a thread may wait long for another one of this
            # process, which has no processor: it looks like blocking. What blocks does always.
            for _ in range(3):
                seen = five.seen_of(handler, names, at_once, **settings)
                statuses = {answer.status for answer in seen.film.answers}
                if not seen.film.held and statuses == {200}:
                    break
        assert not seen.film.held and seen.at_once == at_once
        assert statuses == {200}


class TestWhoseFault:
    """Each server for real, with a clock that ticks at each answer of the backend."""

    HEADINGS = ("sends", "begins", "asked", "told")

    def rows(self) -> dict[str, list[int]]:
        """What the page says of the second tab."""
        cells = "\n".join(page("whose_fault"))
        found = re.findall(r"^\| \*\*(\w+)\*\* \| (.+) \|$", cells, re.MULTILINE)
        return {name: [int(n) for n in re.findall(r"\d+", row)] for name, row in found}

    @pytest.mark.parametrize("question", ["one", "two", "three", "four"])
    async def test_a_row_is_what_happens(self, question: str) -> None:
        fault = right_option("whose_fault", question)
        now, seen = 0, dict[tuple[str, str], int]()
        both, turn = asyncio.Event(), asyncio.Lock()
        apart = fault == "handler"

        def note(what: str, tab: str) -> None:
            seen[what, tab] = now

        async def answer(tab: str) -> None:
            nonlocal now
            if len([key for key in seen if key[0] == "asked"]) == 2:
                both.set()
            if fault == "backend":
                await both.wait()
            async with turn:
                now += 1
                note("told", tab)

        class Asked(RequestHandler):
            async def get(self, tab: str) -> None:
                note("asked", tab)
                await answer(tab)

        class Report(RequestHandler):
            async def get(self, tab: str) -> None:
                note("begins", tab)
                if apart:
                    requests.get(f"{backend}/{tab}", timeout=PATIENCE)
                else:
                    await client.fetch(f"{backend}/{tab}", request_timeout=PATIENCE)

        async def visit(tab: str) -> None:
            note("sends", tab)
            await browser.fetch(f"{url}/{tab}", request_timeout=PATIENCE)

        client = AsyncHTTPClient(force_instance=True, max_clients=1 if fault == "client" else 9)
        browser = AsyncHTTPClient(force_instance=True)
        with running_apart(Application([(r"/(\d)", Asked)])) as backend:
            async with running(Application([(r"/(\d)", Report)])) as url:
                if fault == "browser":
                    for tab in "12":
                        await visit(tab)
                else:
                    await asyncio.gather(visit("1"), visit("2"))
        told_first, told_last = sorted("12", key=lambda tab: seen["told", tab])
        assert [seen[what, told_first] for what in self.HEADINGS] == [0, 0, 0, 1]
        assert [seen[what, told_last] for what in self.HEADINGS] == self.rows()[question]
