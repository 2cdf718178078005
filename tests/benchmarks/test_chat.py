"""The benchmark of the chats: it counts what each person hears, and ends what it starts."""

from __future__ import annotations

import json
import math
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from benchmarks import chat
from benchmarks._chat.dialects import Plain
from benchmarks._chat.figures import Idle, Talk, idle_rows_of, rows_of
from benchmarks._chat.polls import answer_of
from benchmarks._chat.servers import BASELINE, CHATS, OURS
from benchmarks._shared.report import result_file
from classroom.measuring.people.crowd import Crowd, Ears, Trouble
from classroom.measuring.people.frames import PING, TEXT, cut, frame
from classroom.measuring.program import program
from loopfilm import running_apart
from stormy_demo.batteries.frames import text_frame
from tests.addresses import nobody_listens
from tests.paths import ROOT

# Seconds that no machine is too busy for.
LONG = 500.0
PEOPLE = 20


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "FIRST", 5)
    for patience in ("HEARING", "JOINING", "ENOUGH"):
        monkeypatch.setattr(chat, patience, LONG)


# -- what is measured --------------------------------------------------------------------------


def test_nobody_loses_a_message_in_any_of_the_chats() -> None:
    before, left_out = psutil.Process().children(), dict[str, str]()
    seen = chat.talks(PEOPLE, rounds=2, left_out=left_out)
    assert list(seen) == list(CHATS)
    assert not left_out
    for mode, talk in seen.items():
        assert not talk.error, mode
        assert (talk.people, talk.said) == (PEOPLE, 1 + 2 * chat.BURSTS * chat.AT_ONCE)
        assert (talk.lost, talk.twice, talk.dropped) == (0, 0, 0), mode
        assert len(talk.cpu) == 2
        assert min(talk.cpu) > 0
    assert psutil.Process().children() == before


def test_who_is_idle_is_still_in_the_room() -> None:
    before, left_out = psutil.Process().children(), dict[str, str]()
    seen = chat.idle_in_all(PEOPLE, left_out)
    assert list(seen) == [*CHATS, chat.LONG_POLL]
    assert not left_out
    for mode, idle in seen.items():
        assert (idle.people, idle.lost, idle.error) == (PEOPLE, 0, ""), mode
        assert idle.bytes is not None
    assert psutil.Process().children() == before


def test_a_chat_that_does_not_start_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when its package is not installed."""
    monkeypatch.setattr(chat, "served", lambda _: program("benchmarks._shared.paths"))
    left_out: dict[str, str] = {}
    assert chat.talks(PEOPLE, rounds=1, left_out=left_out) == {}
    assert chat.idle_in_all(PEOPLE, left_out) == {}
    assert left_out.keys() == {*CHATS, chat.LONG_POLL}


@pytest.mark.parametrize(
    ("limit", "fit"),
    [(math.inf, (2000, 10_000)), (10_240, (2000, 10_000)), (4096, (999, 3896))],
)
def test_where_few_files_may_be_open_there_are_fewer_people(
    limit: float, fit: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "FIRST", 100)
    monkeypatch.setattr(chat, "allow_open_files", lambda: limit)
    monkeypatch.setattr(sys, "platform", "linux")
    left_out: dict[str, str] = {}
    assert chat.that_fit(2000, 10_000, left_out) == fit
    told = left_out.get("people", "")
    assert told.endswith("may open 4096 descriptors only" if limit == 4096 else told)
    assert bool(told) == (limit == 4096)


def test_a_quick_run_keeps_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {mode: Talk(PEOPLE, said=21, cpu=[20.0, 30.0]) for mode in CHATS}
    idle = {mode: Idle(PEOPLE, bytes=14_000, lost=0) for mode in CHATS}
    monkeypatch.setattr(chat, "talks", lambda *_: seen)
    monkeypatch.setattr(chat, "idle_in_all", lambda *_: idle)
    monkeypatch.setattr(sys, "argv", ["chat", "--quick"])
    before = result_file("chat").read_bytes()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        chat.main()
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert result_file("chat").read_bytes() == before
    told = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in told if line.startswith("python-")] == [
        "python-socketio",
        "python-socketio",
    ]
    assert "25.0" in told[1]
    assert "14000" in told[-1]


# -- what is kept ------------------------------------------------------------------------------


def test_what_is_kept_is_what_is_measured() -> None:
    kept = json.loads(result_file("chat").read_text(encoding="utf-8"))
    (row,) = rows_of({BASELINE: Talk(cpu=[1.0])}, BASELINE)
    assert [one["mode"] for one in kept["results"]] == list(CHATS)
    assert all(one.keys() == row.keys() for one in kept["results"])
    (row,) = idle_rows_of({OURS: Idle()})
    assert [one["mode"] for one in kept["idle"]] == [*CHATS, chat.LONG_POLL]
    assert all(one.keys() == row.keys() for one in kept["idle"])


def test_what_was_promised_of_our_chat_was_measured() -> None:
    kept = json.loads(result_file("chat").read_text(encoding="utf-8"))
    (ours,) = [row for row in kept["results"] if row["mode"] == OURS]
    assert ours["people"] == 2000
    assert (ours["lost"], ours["twice"], ours["dropped"]) == (0, 0, 0)
    assert ours["ratio_highest"] < 1, "a frame that is made once costs less, in every round"
    (idle,) = [row for row in kept["idle"] if row["mode"] == OURS]
    assert idle["people"] == 10_000
    assert idle["lost"] == 0
    assert idle["bytes"] <= 14_000


def test_a_round_that_was_not_finished_has_no_ratio() -> None:
    one, other = rows_of({OURS: Talk(cpu=[1.0]), BASELINE: Talk(cpu=[2.0, 4.0])}, BASELINE)
    assert (one["cpu_us"], one["ratio"]) == (1.0, None)
    assert (other["cpu_us"], other["ratio"]) == (3.0, 1.0)


# -- the crowd, in bad company -----------------------------------------------------------------

Tell = Callable[["list[Member]", str], None]


class Member(WebSocketHandler):
    """Somebody in a chat of which the test says how a message is told."""

    def initialize(self, members: list[Member], tell: Tell) -> None:
        self.members, self.tell = members, tell

    def open(self) -> None:
        self.members.append(self)

    def on_pong(self, data: bytes) -> None:
        self.ponged = data

    def on_message(self, message: str | bytes) -> None:
        self.tell(self.members, json.dumps({"text": message}))


@contextmanager
def crowd_in(tell: Tell, people: int = 3) -> Iterator[Crowd]:
    """Some people in such a chat, where two messages have been said."""
    with running_apart(
        Application([("/socket", Member, {"members": [], "tell": tell})])
    ) as url:
        crowd = Crowd(Ears(), int(url.rpartition(":")[2]), Plain())
        try:
            crowd.join(people, LONG)
            crowd.say(2)
            yield crowd
        finally:
            crowd.close()


def tell_all(members: list[Member], message: str) -> None:
    for member in members:
        member.write_message(message)


def everybody_hears(crowd: Crowd, due: int = 0) -> bool:
    return crowd.ears.listen(lambda: crowd.due == due, LONG)


def test_in_a_good_chat_everybody_hears_everything() -> None:
    with crowd_in(tell_all) as crowd:
        assert everybody_hears(crowd)
        assert (crowd.here, crowd.lost(), crowd.twice, crowd.dropped) == (3, 0, 0, 0)


def test_who_is_told_nothing_has_lost_a_message() -> None:
    with crowd_in(lambda members, message: tell_all(members[1:], message)) as crowd:
        assert everybody_hears(crowd, due=2)
        assert not crowd.ears.listen(lambda: crowd.due == 0, 0.01)
        assert crowd.lost() == 1


def test_who_is_told_twice_has_lost_nothing_but_it_is_noticed() -> None:
    def tell(members: list[Member], message: str) -> None:
        tell_all([members[0], *members], message)

    with crowd_in(tell) as crowd:
        assert everybody_hears(crowd)
        assert crowd.ears.listen(lambda: crowd.twice == 2, LONG)
        assert crowd.lost() == 0


def test_a_message_that_comes_twice_does_not_stand_for_another() -> None:
    def tell(members: list[Member], message: str) -> None:
        if "message 0" in message:
            tell_all([*members, *members], message)

    with crowd_in(tell) as crowd:
        assert crowd.ears.listen(lambda: crowd.twice == 3, LONG)
        assert crowd.lost() == 3


def test_who_is_sent_away_is_not_waited_for() -> None:
    def tell(members: list[Member], message: str) -> None:
        members[0].close()
        tell_all(members[1:], message)

    with crowd_in(tell) as crowd:
        assert everybody_hears(crowd)
        assert (crowd.here, crowd.dropped, crowd.lost()) == (2, 1, 1)
        # One of these is said by somebody who is not there, and is missing.
        crowd.say(3)
        assert (crowd.here, crowd.dropped) == (2, 1)


def test_a_ping_is_answered_and_what_is_no_message_is_passed_over() -> None:
    pinged: list[Member] = []

    def tell(members: list[Member], message: str) -> None:
        pinged.append(members[0])
        members[0].ping(b"are you there?")
        for strange in ("", "42", "[]", '{"name": 1}', '{"text": "I said nothing"}'):
            members[0].write_message(strange)
        tell_all(members, message)

    with crowd_in(tell, people=1) as crowd:
        assert everybody_hears(crowd)
        crowd.say(1)
        assert everybody_hears(crowd)
        assert crowd.lost() == crowd.twice == 0
    assert pinged[0].ponged == b"are you there?"


class NotHere(RequestHandler):
    """No chat at all."""

    def get(self) -> None:
        self.set_status(403)


def test_who_is_not_let_in_says_why() -> None:
    with running_apart(Application([("/socket", NotHere)])) as url:
        crowd = Crowd(Ears(), int(url.rpartition(":")[2]), Plain())
        with pytest.raises(Trouble, match=r"^0 of 3 people are in the room: HTTP/1.1 403 Forb"):
            crowd.join(3, LONG)
        crowd.close()


def test_a_server_that_says_nothing_is_not_waited_for_without_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        crowd = Crowd(Ears(), listener.getsockname()[1], Plain())
        with pytest.raises(Trouble, match=r"^0 of 3 people are in the room$"):
            crowd.join(3, 0.05)
        crowd.close()


def test_where_nobody_listens_nobody_is_let_in() -> None:
    with (
        nobody_listens() as url,
        pytest.raises(Trouble, match=r"^0 of 3 people are in the room: "),
    ):
        Crowd(Ears(), int(url.rpartition(":")[2]), Plain()).join(3, LONG)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n", "^HTTP/1.1 503 Not now$"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", "without an answer"),
    ],
)
def test_a_long_poll_without_an_answer_says_so(said: bytes, why: str) -> None:
    one, other = socket.socketpair()
    with one, other:
        other.sendall(said)
        other.shutdown(socket.SHUT_WR)
        with pytest.raises(Trouble, match=why):
            answer_of(one)


# -- frames ------------------------------------------------------------------------------------

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536])


@given(st.lists(SIZES, min_size=1, max_size=4), st.data())
def test_frames_are_found_wherever_they_are_cut(sizes: list[int], data: st.DataObject) -> None:
    payloads = [bytes([number]) * size for number, size in enumerate(sizes)]
    sent = b"".join(map(text_frame, payloads))
    where = data.draw(st.integers(0, len(sent)))
    first, rest = cut(sent[:where])
    second, nothing = cut(rest + sent[where:])
    assert [*first, *second] == [(TEXT, payload) for payload in payloads]
    assert nothing == b""


@pytest.mark.parametrize("size", [0, 125, 126, 65_535])
def test_a_frame_of_a_client_is_masked(size: int) -> None:
    head, payload = frame(PING, bytes(size))[: -size or None], bytes(size)
    assert head[0] == 0x89
    assert head[1] & 0x80
    assert head[-4:] == bytes(4)
    # Without its mask it is what a server would send.
    assert cut(bytes([head[0], head[1] & 0x7F]) + head[2:-4] + payload) == (
        [(PING, payload)],
        b"",
    )


# -- the end -----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_whatever_ends_the_benchmark_ends_the_servers(name: str) -> None:
    words = [sys.executable, "-m", "benchmarks.chat", "--quick"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stderr
        # By then all of the servers run. On a busy machine one may have complained before.
        assert f"round 1 of {chat.QUICK_ROUNDS}\n" in iter(bench.stderr.readline, "")
        servers = psutil.Process(bench.pid).children()
        bench.send_signal(getattr(signal, name))
        assert bench.wait(LONG) != 0
    assert len(servers) == len(CHATS)
    _, alive = psutil.wait_procs(servers, timeout=LONG)
    assert not alive
