"""All rooms do the same: who waits is told, and who has gone is waited for no longer."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psutil
import pytest

from classroom.measuring.people.crowd import Crowd, Ears
from classroom.measuring.people.dialects import Plain, SocketIO
from classroom.measuring.people.frames import CLOSE
from classroom.measuring.people.pollers import Pollers
from classroom.measuring.program import Program, program
from loopfilm import LOCALHOST
from stormy_demo.peers.rooms.__main__ import ROOMS
from tests import quick_start
from tests.paths import ROOT

SOCKETS = [name for name in ROOMS if name != "gevent_room"]
POLLED = ["tornado_room", "aiohttp_room", "gevent_room"]
PEOPLE = 5
# Seconds that no machine is too busy for.
LONG = 500.0
BINARY = 0x2


@contextmanager
def serving(name: str) -> Iterator[Program]:
    for package in ROOMS[name]:
        if not importlib.util.find_spec(package):
            pytest.skip(f"{package} is not installed")
    with program("stormy_demo.peers.rooms", name, "--port=0", "--end-with-stdin") as server:
        yield server


def crowd_of(name: str, server: Program) -> Crowd:
    return Crowd(Ears(), server.port, SocketIO() if "socketio" in name else Plain())


def all_hear(crowd: Crowd | Pollers) -> bool:
    return crowd.ears.listen(crowd.all_have_heard, LONG)


@pytest.mark.parametrize("name", SOCKETS)
def test_what_somebody_says_everybody_hears_once(name: str) -> None:
    with serving(name) as server, closing(crowd_of(name, server)) as crowd:
        crowd.join(PEOPLE, LONG)
        crowd.say(3)
        assert all_hear(crowd)
        assert (crowd.lost(), crowd.twice, crowd.dropped) == (0, 0, 0)


@pytest.mark.parametrize("name", SOCKETS)
def test_who_leaves_in_whatever_way_takes_nothing_from_the_others(name: str) -> None:
    with serving(name) as server, closing(crowd_of(name, server)) as crowd:
        crowd.join(PEOPLE, LONG)
        rude, polite, *_ = crowd.people
        polite.send(b"", CLOSE)
        assert crowd.ears.listen(lambda: crowd.dropped == 1, LONG)
        rude.close()
        crowd.here -= 1
        # They do not talk any more.
        crowd.people = crowd.people[2:]
        crowd.say(2)
        assert all_hear(crowd)
        assert crowd.dropped == 1


@pytest.mark.parametrize("name", ["tornado_room", "aiohttp_room", "websockets_room"])
def test_bytes_that_are_no_text_are_passed_over(name: str) -> None:
    with serving(name) as server, closing(crowd_of(name, server)) as crowd:
        crowd.join(2, LONG)
        received = crowd.received
        crowd.people[0].send(b"\xff", BINARY)
        crowd.people[0].send(b"text")
        # A frame of four letters to each of two.
        assert crowd.ears.listen(lambda: crowd.received >= received + 12, LONG)
        assert crowd.received == received + 12


@pytest.mark.parametrize("name", POLLED)
def test_a_long_poll_is_answered_with_what_is_said_next(name: str) -> None:
    with serving(name) as server, closing(Pollers(Ears(), server.port)) as crowd:
        crowd.join(PEOPLE, LONG)
        assert crowd.ask("GET", "/waiting") == b"%d" % PEOPLE
        crowd.say(1)
        assert all_hear(crowd)
        assert (crowd.heard, crowd.dropped, crowd.wrong) == (PEOPLE, 0, "")
        assert crowd.ask("GET", "/waiting") == b"0"


@pytest.mark.parametrize("name", POLLED)
def test_who_has_gone_takes_nothing_from_those_who_poll(name: str) -> None:
    with serving(name) as server, closing(Pollers(Ears(), server.port)) as crowd:
        crowd.join(PEOPLE, LONG)
        crowd.people.pop().close()
        crowd.say(1)
        assert all_hear(crowd)
        assert (crowd.heard, crowd.dropped, crowd.wrong) == (PEOPLE - 1, 0, "")


@pytest.mark.parametrize("name", ["tornado_room", "aiohttp_room"])
def test_who_polls_on_both_is_told_together(name: str) -> None:
    with (
        serving(name) as server,
        closing(crowd_of(name, server)) as crowd,
        closing(Pollers(crowd.ears, server.port)) as pollers,
    ):
        crowd.join(PEOPLE, LONG)
        pollers.join(PEOPLE, LONG)
        crowd.say(1)
        pollers.text = next(iter(crowd.texts)).encode()
        assert all_hear(crowd)
        assert all_hear(pollers)
        assert (pollers.heard, pollers.wrong) == (PEOPLE, "")


# -- as programs -------------------------------------------------------------------------------


@contextmanager
def start(*words: str) -> Iterator[subprocess.Popen[str]]:
    with quick_start.Popen(
        [sys.executable, "-m", "stormy_demo.peers.rooms", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            # Or it would be waited for, whatever has failed in the block.
            process.kill()


@pytest.mark.parametrize("words", [[], ["nobody"], ["tornado_room", "--port=99999"]])
def test_what_is_not_understood_is_said(words: list[str]) -> None:
    with start(*words) as process:
        _, said = process.communicate(timeout=LONG)
    assert process.returncode == 2
    assert said.startswith("usage: python -m stormy_demo.peers.rooms")


def test_a_port_that_is_taken() -> None:
    with socket.create_server((LOCALHOST, 0)) as taken:
        there = taken.getsockname()[1]
        with start("tornado_room", f"--port={there}") as process:
            _, said = process.communicate(timeout=LONG)
    assert process.returncode == 1
    assert said.startswith(f"cannot listen on port {there}: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ROOMS)
def test_a_room_ends_when_it_is_told_to_and_people_are_in_it(name: str) -> None:
    with serving(name):
        pass  # Whatever is missing is noticed here.
    with start(name, "--port=0") as process:
        assert process.stdout
        there = int(process.stdout.readline().partition(" (")[0].rpartition(":")[2])
        people = Pollers(Ears(), there) if name == "gevent_room" else None
        crowd = Crowd(Ears(), there, SocketIO() if "socketio" in name else Plain())
        with closing(people or crowd) as some:
            some.join(2, LONG)
            process.send_signal(signal.SIGTERM)
            said, errors = process.communicate(timeout=LONG)
    assert (process.returncode, said, errors) == (0, "stopped\n", "")


@pytest.mark.parametrize("name", ["tornado_room", "gevent_room"])
def test_a_room_ends_with_whoever_started_it(name: str) -> None:
    with serving(name):
        pass
    with start(name, "--port=0", "--end-with-stdin") as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(LONG) == 0
    assert not psutil.pid_exists(process.pid)
