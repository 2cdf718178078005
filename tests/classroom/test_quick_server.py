"""The server for those who measure clients: it counts, and outlives whatever they send."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import requests

from classroom.measuring.load import visit
from classroom.measuring.program import Program, program
from classroom.measuring.quick_server import LARGE, LONGEST_HEAD, SMALL
from tests.paths import ROOT

LONG = 500.0  # seconds that no machine is too busy for


@pytest.fixture(scope="module")
def server() -> Iterator[Program]:
    with program("classroom.measuring.quick_server") as started:
        yield started


def count(server: Program) -> tuple[int, int]:
    counts = requests.get(f"{server.url}/count", timeout=LONG).json()
    return counts["connections"], counts["answers"]


@pytest.fixture
def counted(server: Program) -> Callable[[], tuple[int, int]]:
    """Count the connections and answers of one test."""
    before = count(server)

    def since() -> tuple[int, int]:
        now = count(server)
        return now[0] - before[0], now[1] - before[1]

    return since


def test_it_counts_from_nothing() -> None:
    with program("classroom.measuring.quick_server") as server:
        assert count(server) == (0, 0)


def test_it_counts_connections_and_answers_and_not_those_who_ask_for_the_count(
    server: Program, counted: Callable[[], tuple[int, int]]
) -> None:
    assert counted() == (0, 0)
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(server.url, timeout=LONG).content == SMALL
    assert counted() == (1, 3)
    for _ in range(2):
        requests.get(server.url, headers={"Connection": "close"}, timeout=LONG)
    assert counted() == (3, 5)


def test_a_large_answer_comes_whole_to_who_reads_slowly(server: Program) -> None:
    with requests.get(f"{server.url}/large", stream=True, timeout=LONG) as slow:
        # Another is served while the first has room for no more.
        assert requests.get(server.url, timeout=LONG).content == SMALL
        assert slow.content == LARGE


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\n\r\n",
        b"GET /no HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
        b"\xff\x00 nonsense\r\n\r\n",
    ],
)
def test_who_asks_for_something_else_is_told_what_there_is(
    server: Program, counted: Callable[[], tuple[int, int]], request_: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=LONG) as sock:
        sock.sendall(request_)
        heard = b"".join(iter(lambda: sock.recv(65536), b""))
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert heard.endswith(b'{"error": "GET /, /large or /count"}')
    assert counted() == (0, 0)


def test_a_request_in_pieces_is_answered_and_half_a_one_harms_nobody(server: Program) -> None:
    place = ("127.0.0.1", server.port)
    with socket.create_connection(place, timeout=LONG) as sock:
        for piece in (b"GET / HT", b"TP/1.1\r\nConnection: cl", b"ose\r\n\r\n"):
            sock.sendall(piece)
            assert requests.get(server.url, timeout=LONG).status_code == 200
        assert b"".join(iter(lambda: sock.recv(65536), b"")).endswith(SMALL)
    with socket.create_connection(place, timeout=LONG) as sock:
        sock.sendall(b"GET / HT")
    assert requests.get(server.url, timeout=LONG).status_code == 200


def test_a_head_without_end_is_ended(server: Program) -> None:
    place = ("127.0.0.1", server.port)
    with (
        socket.create_connection(place, timeout=LONG) as sock,
        pytest.raises(ConnectionError),
    ):
        while True:
            sock.sendall(b"x" * LONGEST_HEAD)
    assert requests.get(server.url, timeout=LONG).status_code == 200


def test_it_ends_with_who_holds_its_standard_input() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "classroom.measuring.quick_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdin and started.stdout
        assert started.stdout.readline().startswith(b"listening on http://127.0.0.1:")
        started.stdin.close()
        assert started.wait(LONG) == 0


@pytest.mark.parametrize("has_wrk", [True, False])
def test_visitors_may_come_on_a_new_connection_each_time(
    server: Program,
    counted: Callable[[], tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
    has_wrk: bool,
) -> None:
    if not has_wrk:
        monkeypatch.setattr("classroom.measuring.load.load_generator", lambda: "a client")
    monkeypatch.setattr("classroom.measuring.load.TOO_BUSY", float("inf"))
    seen = visit(server.url, at_once=2, seconds=1, headers=("Connection: close",))
    connections, answers = counted()
    assert seen.answers <= answers <= connections <= answers + 2
