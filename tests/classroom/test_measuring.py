"""Things side by side: rounds that compare within a round, and loads that refuse to guess."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import psutil
import pytest
from tornado.web import Application, RequestHandler

from classroom.measuring import load
from classroom.measuring.load import visit
from classroom.measuring.program import NotStarted, command
from classroom.measuring.rounds import Figures, Refused, in_rounds
from classroom.measuring.visitors import is_whole
from loopfilm import running_apart
from tests.addresses import nobody_listens

# -- rounds ------------------------------------------------------------------------------------


def quiet(_: str) -> None:
    """Say nothing."""


class Things:
    """Things that say in which order they are measured, and give what they are told to."""

    def __init__(self, **figures: list[float | str]) -> None:
        self.order: list[str] = []
        self.figures = {name: iter(each) for name, each in figures.items()}

    def measure(self, name: str) -> Figures:
        self.order.append(name)
        found = next(self.figures[name])
        if isinstance(found, str):
            raise Refused(found)
        return {"cpu_us": found}

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    @property
    def measures(self) -> dict[str, Callable[[], Figures]]:
        return {name: lambda name=name: self.measure(name) for name in self}  # type: ignore[misc]


def test_each_round_has_all_things_and_another_one_first() -> None:
    things = Things(a=[1.0] * 4, b=[1.0] * 4, c=[1.0] * 4)
    in_rounds(things.measures, 3, say=quiet)
    assert "".join(things.order) == "abc" + "bca" + "cab" + "abc"


def test_what_warms_up_does_not_count() -> None:
    things = Things(a=[100.0, 1.0, 2.0])
    assert in_rounds(things.measures, 2, say=quiet).figures == {
        "a": [{"cpu_us": 1.0}, {"cpu_us": 2.0}]
    }
    things = Things(a=[1.0, 2.0])
    found = in_rounds(things.measures, 2, warm_up=False, say=quiet)
    assert [one["cpu_us"] for one in found.figures["a"]] == [1.0, 2.0]


def test_ratios_are_those_of_a_round() -> None:
    """The second round is slow for both, and says the same of them."""
    things = Things(base=[2.0, 20.0, 4.0], other=[4.0, 40.0, 12.0])
    found = in_rounds(things.measures, 3, warm_up=False, say=quiet)
    base, other = found.rows("base", group="hello")
    assert base == {
        "group": "hello",
        "mode": "base",
        "cpu_us": {"median": 4.0, "ratio": 1.0, "lowest": 1.0, "highest": 1.0},
    }
    assert other["cpu_us"] == {"median": 12.0, "ratio": 2.0, "lowest": 2.0, "highest": 3.0}


def test_what_is_refused_is_left_out_of_further_rounds_and_keeps_its_row() -> None:
    said: list[str] = []
    things = Things(base=[1.0] * 4, bad=[1.0, 1.0, "it was no 200"], good=[2.0] * 4)
    found = in_rounds(things.measures, 3, name="hello", say=said.append)
    assert Counter(things.order) == {"base": 4, "bad": 3, "good": 4}
    assert [row.get("refused") for row in found.rows("base")] == [None, "it was no 200", None]
    assert found.rows("base")[1].keys() == {"mode", "refused"}
    assert "bad is refused: it was no 200" in said
    assert [line.partition(";")[0] for line in said if ";" in line] == [
        "hello: warm",
        "hello: round 1 of 3",
        "hello: round 2 of 3",
        "hello: round 3 of 3",
    ]


def test_without_its_baseline_a_thing_has_no_ratio() -> None:
    things = Things(base=["it hangs"], other=[1.0] * 3)
    rows = in_rounds(things.measures, 2, say=quiet).rows("base")
    assert rows[1] == {"mode": "other", "cpu_us": {"median": 1.0}}
    things = Things(base=[0.0] * 2, other=[1.0] * 2)
    rows = in_rounds(things.measures, 2, warm_up=False, say=quiet).rows("base")
    assert rows[1]["cpu_us"] == {"median": 1.0}, "nothing can be divided by nothing"


def test_if_all_are_refused_there_are_rows_that_say_so() -> None:
    things = Things(a=["no"], b=["neither"])
    rows = in_rounds(things.measures, 5, say=quiet).rows("a")
    assert rows == [{"mode": "a", "refused": "no"}, {"mode": "b", "refused": "neither"}]


# -- load --------------------------------------------------------------------------------------


class Site:
    """A server that counts what it has answered, by what was asked for."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.words: set[str | None] = set()
        site = self

        class Hello(RequestHandler):
            async def get(self, what: str) -> None:
                site.answered[what] += 1
                site.words.add(self.request.headers.get("X-Word"))
                if what == "broken" or (what == "seldom" and site.answered[what] == 7):
                    self.set_status(500)
                self.write("hello")
                if what == "chunked":
                    await self.flush()
                    # What looks like the end of an answer, within it.
                    self.write("0\r\n")
                    await self.flush()
                    self.write("there")

            def log_exception(self, *_: object) -> None:
                """Say nothing."""

        self.app = Application([("/(.*)", Hello)], log_function=lambda _: None)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with running_apart(site.app) as url:
        yield url


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_bottleneck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Server and load share one here, and a fast one makes its client busy."""
    monkeypatch.setattr(load, "TOO_BUSY", 2.0)


each_client = pytest.mark.parametrize(
    "by_wrk",
    [
        pytest.param(
            True,
            id="wrk",
            marks=pytest.mark.skipif(not shutil.which("wrk"), reason="there is no wrk here"),
        ),
        pytest.param(False, id="Python"),
    ],
)


@each_client
def test_answers_are_those_that_the_server_gave(site: Site, url: str, by_wrk: bool) -> None:
    """When the time is over, one answer may be on its way to each who asks."""
    seen = visit(f"{url}/hello", at_once=3, seconds=1, by_wrk=by_wrk)
    assert 0 <= site.answered["hello"] - seen.answers <= 3
    assert seen.rps == seen.answers / seen.seconds
    assert 0 < seen.p50_ms <= seen.p99_ms
    assert seen.busy > 0


@each_client
def test_answers_in_chunks_are_counted_once(site: Site, url: str, by_wrk: bool) -> None:
    seen = visit(f"{url}/chunked", at_once=2, seconds=1, by_wrk=by_wrk)
    assert 0 <= site.answered["chunked"] - seen.answers <= 2


@each_client
@pytest.mark.parametrize("what", ["broken", "seldom"])
def test_an_answer_that_is_no_200_is_refused(url: str, by_wrk: bool, what: str) -> None:
    with pytest.raises(Refused, match=r"^\d+ of \d+ answers were no 200") as reason:
        visit(f"{url}/{what}", at_once=2, seconds=1, by_wrk=by_wrk)
    bad, _, in_all, *_ = str(reason.value).split()
    assert int(bad) == 1 if what == "seldom" else bad == in_all, "each is counted once"


@each_client
def test_a_server_that_answers_nothing_is_refused(by_wrk: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Refused, match="no answer came"):
            visit(f"http://127.0.0.1:{port}/", at_once=2, seconds=1, by_wrk=by_wrk)


@each_client
def test_a_place_where_nobody_listens_is_refused(by_wrk: bool) -> None:
    with nobody_listens() as url, pytest.raises(Refused, match="could not ask it"):
        visit(url, at_once=1, seconds=1, by_wrk=by_wrk)


@each_client
def test_a_load_that_was_the_bottleneck_is_refused(
    url: str, by_wrk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "TOO_BUSY", 0.0)
    with pytest.raises(Refused, match=r"what asked it was busy for \d+% .* may be slower"):
        visit(url, at_once=1, seconds=1, by_wrk=by_wrk)


@each_client
def test_headers_are_sent(site: Site, url: str, by_wrk: bool) -> None:
    visit(url, at_once=1, seconds=1, headers=("X-Word: there",), by_wrk=by_wrk)
    assert site.words == {"there"}


def test_a_visit_ends_after_so_many_answers(url: str) -> None:
    seen = visit(url, at_once=1, seconds=60, answers=5)
    assert seen.answers == 5
    assert seen.seconds < 60


def test_a_client_that_is_killed_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.CompletedProcess([], -9, "", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
    with pytest.raises(Refused, match="could not ask it: it said nothing"):
        visit("http://127.0.0.1:1", at_once=1, seconds=1, by_wrk=False)


def test_it_is_said_what_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    load.load_generator.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert load.load_generator() == "a client in Python"
    load.load_generator.cache_clear()


@pytest.mark.parametrize(
    ("body", "is_the_end"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", True),
        (b"5;name=value\r\nhello\r\n0\r\n\r\n", True),
        (b"A\r\nsome bytes\r\n0\r\n\r\n", True),
        (b"5\r\nhello\r\n", False),
        (b"5\r\nhello\r\n0\r\n", False),
        (b"6\r\nnow 0\r\n", False),
        # The chunk ends like an answer.
        (b"3\r\n0\r\n\r\n", False),
        (b"", False),
    ],
)
def test_an_answer_in_chunks_ends_with_an_empty_one(body: bytes, is_the_end: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert is_whole(head + body) is is_the_end


# -- programs ----------------------------------------------------------------------------------

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print("listening on http://127.0.0.1:1", flush=True)
input()
"""


def test_what_a_program_has_started_is_counted_and_ends_with_it() -> None:
    with command(sys.executable, "-c", PARENT) as parent:
        children = parent.process.children()
        assert len(children) == 1
        assert parent.whole_cpu() > parent.cpu() > 0
    assert not psutil.pid_exists(parent.pid)
    psutil.wait_procs(children, timeout=500)
    assert not any(child.is_running() for child in children)


def test_who_has_ended_has_no_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with command(sys.executable, "-c", PARENT) as parent:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        its_process = psutil.Process(gone.pid)
        gone.wait()
        # As if it had ended just now.
        monkeypatch.setattr(parent.process, "children", lambda **_: [its_process])
        assert parent.whole_cpu() > 0
    for seen in (parent.cpu, parent.whole_cpu, parent.memory):
        with pytest.raises(psutil.NoSuchProcess):
            seen()


def test_a_program_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classroom.measuring.program.PATIENCE", 0.1)
    with (
        pytest.raises(NotStarted, match=r"^silent did not start$"),
        command(sys.executable, "-c", "input()", name="silent"),
    ):
        pass


def test_a_program_that_does_not_listen_says_what_it_said() -> None:
    with (
        pytest.raises(NotStarted, match="there is no such thing"),
        command(sys.executable, "-c", "print('there is no such thing')"),
    ):
        pass
    with (
        pytest.raises(NotStarted, match=r"^quiet did not start$"),
        command(sys.executable, "-c", "", name="quiet"),
    ):
        pass
