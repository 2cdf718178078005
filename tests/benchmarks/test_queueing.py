"""Who asks on time and who waits for answers; what is told of both, and what is refused."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest
import requests
from tornado.web import Application, RequestHandler

from benchmarks import queueing
from benchmarks._queueing.server import Clock
from classroom.log import logs
from classroom.measuring import neighbours, open_loop
from classroom.measuring.load import visit
from classroom.measuring.neighbours import busy_neighbours
from classroom.measuring.open_loop import Asked, ask_on_time, part
from classroom.measuring.program import program
from classroom.measuring.rounds import Refused
from classroom.measuring.timeline import Timeline
from loopfilm import running_apart
from stormy_demo.backend import Backend
from tests.paths import ROOT

LONG = 500  # seconds that no machine is too busy for
EVER = 1e6  # milliseconds that no client is late


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Chunks(RequestHandler):
    async def get(self) -> None:
        for word in ("hello", "world"):
            self.write(word)
            await self.flush()


class Broken(RequestHandler):
    def get(self) -> None:
        self.send_error(500)


APP = Application([("/", Hello), ("/chunks", Chunks), ("/broken", Broken)])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with logs(), running_apart(APP) as address:
        yield address


# -- the client that asks on time --------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/?a=b", "/chunks"])
def test_it_asks_as_often_as_it_is_told(path: str, url: str) -> None:
    seen = ask_on_time(url + path, times=20, each_ms=5, late_ms=EVER)
    assert [round(due, 6) for due, _ in seen.times] == [n / 200 for n in range(20)]
    assert min(seen.waits_ms) > 0
    assert seen.late_ms >= 0


def test_it_does_not_wait_for_an_answer_before_it_asks_again() -> None:
    """This server answers nobody before the fifth has asked."""
    backend = Backend(together=5)
    with running_apart(backend.app) as url:
        asked = ask_on_time(f"{url}/profile?user=ada", times=5, each_ms=1, late_ms=EVER)
    assert len(asked.times) == 5
    assert backend.most == 5


def test_a_wait_counts_from_when_it_was_due() -> None:
    seen = Asked(((0.0, 0.5), (0.1, 0.5), (0.2, 0.5)), late_ms=0.0)
    assert seen.waits_ms == pytest.approx([500, 400, 300])
    assert seen.mean_ms == pytest.approx(400)
    assert seen.part_ms(0.5) == pytest.approx(400)
    assert seen.part_ms(1) == pytest.approx(500)


def test_a_part_of_all_is_not_below_their_lowest() -> None:
    assert [part([3.0, 1.0, 2.0], share) for share in (0, 0.5, 0.99, 1)] == [1, 2, 2, 3]


def test_other_answers_than_200_are_refused(url: str) -> None:
    with pytest.raises(Refused, match=r"^7 of 7 answers were no 200, or did not come$"):
        ask_on_time(f"{url}/broken", times=7, each_ms=1, late_ms=EVER)


def test_a_server_that_is_not_there_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with pytest.raises(Refused, match=r"^3 of 3 answers"):
        ask_on_time(f"http://127.0.0.1:{port}", times=3, each_ms=1, late_ms=EVER)


@contextmanager
def server_that_says(words: bytes) -> Iterator[str]:
    """Says so to each who comes, and hangs up."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()

        def serve() -> None:
            while True:
                sock, _ = listener.accept()
                with sock:
                    if is_over.is_set():
                        return
                    sock.recv(65536)
                    sock.sendall(words)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{place[1]}"
        finally:
            # Who waits for somebody is woken by somebody: not all systems wake them else.
            is_over.set()
            socket.create_connection(place).close()
            thread.join(LONG)


@pytest.mark.parametrize(
    "words", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"\xff\xfe what"]
)
def test_half_an_answer_is_refused(words: bytes) -> None:
    with (
        server_that_says(words) as url,
        pytest.raises(Refused, match=r"^2 of 2 answers"),
    ):
        ask_on_time(url, times=2, each_ms=1, late_ms=EVER)


def test_a_kept_connection_that_ends_is_replaced() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with server_that_says(whole) as url:
        assert len(ask_on_time(url, times=3, each_ms=100, late_ms=EVER).times) == 3


def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_loop, "ANSWER_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        question = open_loop.Question(time.perf_counter())
        open_loop.Client(host, port, b"GET / HTTP/1.1\r\n\r\n").ask_all([question])
    assert question.asked and question.answered is None


def test_a_client_that_is_late_itself_is_refused(url: str) -> None:
    """A hundred questions within a ten-thousandth of a second are more than it can ask."""
    with pytest.raises(Refused, match=r"^what asked it could not keep to its own times$"):
        ask_on_time(url, times=100, each_ms=0.001, late_ms=0.1)


@pytest.mark.parametrize(("times", "each_ms"), [(0, 1), (-1, 1), (1, 0), (1, -1)])
def test_numbers_that_are_too_small(times: int, each_ms: float) -> None:
    with pytest.raises(ValueError, match="ask once at least"):
        ask_on_time("http://127.0.0.1:1", times=times, each_ms=each_ms)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(Refused, match="nowhere is no address"):
        ask_on_time("nowhere", times=1, each_ms=1)


# -- the client that waits ---------------------------------------------------------------------


def test_the_client_in_python_can_be_asked_for(url: str) -> None:
    seen = visit(url, at_once=2, seconds=1, by_wrk=False)
    assert seen.answers > 0
    assert seen.p50_ms <= seen.p99_ms


# -- a server that stands still ----------------------------------------------------------------


def test_it_is_time_once_each_time() -> None:
    clock = Clock(hold=0.1, every=1000)
    assert not clock.is_time()
    clock.next -= 1000
    assert [clock.is_time(), clock.is_time()] == [True, False]


def test_it_is_never_time_for_nothing() -> None:
    assert not Clock(hold=0, every=0).is_time()


def test_the_server_answers_also_when_it_has_stood_still() -> None:
    with program(queueing.SERVER, "--port=0", "--hold=0.01", "--every=0") as server:
        assert [requests.get(server.url, timeout=LONG).text for _ in range(2)] == [
            "Hello, world"
        ] * 2


@pytest.mark.parametrize("option", ["--hold=-1", "--every=-1", "--hold=x"])
def test_a_server_with_a_wrong_option_does_not_start(option: str) -> None:
    command = [sys.executable, "-m", queueing.SERVER, "--port=0", option]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


# -- the benchmark -----------------------------------------------------------------------------


def test_it_has_a_row_for_each_way_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "LATE_MS", {"steady": EVER})
    rows = queueing.measure(1, 1, warm_up=False, groups={"steady": 0.0})
    modes = [queueing.BASELINE, queueing.EIGHT, queueing.CORRECTED, queueing.OPEN]
    assert [row["mode"] for row in rows] == [
        mode for mode in modes if mode not in queueing.left_out()
    ]
    last = rows[-1]
    assert last["p99_ms"]["ratio"] > 0
    # Nobody else can be late.
    assert "ratio" not in last["late_ms"] and "late_ms" not in rows[0]


def test_where_there_is_no_wrk_its_row_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "load_generator", lambda: "a client in Python")
    assert queueing.left_out() == {queueing.CORRECTED: "there is no wrk here"}


def test_an_open_loop_that_is_late_tries_again_and_is_then_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = []

    def late(url: str, **how: Any) -> Asked:
        tries.append(how)
        raise Refused("late")

    monkeypatch.setattr(queueing, "ask_on_time", late)
    with pytest.raises(Refused, match="late"):
        queueing.on_time("http://127.0.0.1:1", 10.0, 1)
    assert len(tries) == queueing.TRIES


@pytest.mark.parametrize(("options", "rounds"), [([], 1), (["--rounds=2"], 2)])
def test_a_quick_look_keeps_nothing(
    options: list[str],
    rounds: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures = {figure: {"median": 1.0} for figure in queueing.SHOWN}
    rows = [{"group": name, "mode": queueing.BASELINE, **figures} for name in queueing.GROUPS]
    asked: list[Any] = []

    def measure(*given: Any, **more: Any) -> list[dict[str, Any]]:
        asked.append((*given, more["warm_up"]))
        return rows

    monkeypatch.setattr(queueing, "measure", measure)
    monkeypatch.setattr(queueing, "keep", lambda *_: pytest.fail("it was kept"))
    monkeypatch.setattr(sys, "argv", ["queueing", "--quick", *options])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    queueing.main()
    assert asked == [(rounds, queueing.QUICK_SECONDS, False)]
    said = capsys.readouterr().out
    assert all(f"\n{name}\n" in said for name in queueing.GROUPS)


# -- what a lesson shows it with ---------------------------------------------------------------


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def test_neighbours_are_there_as_long_as_the_block_lasts() -> None:
    before = children()
    with busy_neighbours(for_each=1):
        there = children() - before
        assert len(there) == neighbours.processors() >= 1
    assert not there & children()


def test_no_neighbours_are_none_and_fewer_cannot_be() -> None:
    before = children()
    with busy_neighbours(for_each=0):
        assert children() == before
    with pytest.raises(ValueError, match="fewer than none"), busy_neighbours(for_each=-1):
        pass


def test_a_timeline_counts_and_draws_who_waited_long() -> None:
    waits = {"in turn": [(0.0, 0.1), (0.2, 1.2)], "<on time>": [(0.0, 0.1), (0.2, 0.3)]}
    picture = Timeline("Two & two", waits, slow=0.5, alt="One waits.")
    assert repr(picture) == "One waits."
    assert 'alt="One waits."' in picture._repr_html_()
    svg = ElementTree.fromstring(picture.svg)
    words = [each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert words[:3] == [
        "Two & two",
        "in turn: 1 of 2 waited for longer than 0.5 s",
        "<on time>: 0 of 2 waited for longer than 0.5 s",
    ]


def test_a_timeline_of_nobody_is_empty() -> None:
    assert ElementTree.fromstring(Timeline("Nobody", {}, slow=1, alt="").svg) is not None
