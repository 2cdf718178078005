"""The benchmark of Socket.IO: the same people in each room, and who hears."""

from __future__ import annotations

import math
import signal
import subprocess
import sys

import psutil
import pytest

from benchmarks import socket_io
from benchmarks._shared import rooms
from benchmarks._shared.report import result_file
from classroom.measured import result
from classroom.measuring.program import program
from tests.paths import ROOT

PEOPLE = 5
# Seconds that no machine is too busy for.
LONG = 500.0
# A head of two bytes, and the text: plain, and as JSON with its event around it.
TEXT = len("this is message 0, and it is about as long as most")
PLAIN, WITH_EVENT = 2 + TEXT, 2 + TEXT + len('42["said",""]')


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_io, "FIRST", 2)
    monkeypatch.setattr(socket_io, "JOINING", LONG)
    monkeypatch.setattr(rooms, "HEARING", LONG)
    # What a few people cost is nothing, and a busy machine measures what it likes.
    monkeypatch.setattr(rooms, "TOO_BUSY", math.inf)


def test_everybody_hears_everything_in_each_room() -> None:
    before = psutil.Process().children()
    rows = socket_io.measure(PEOPLE, PEOPLE, rounds=1, idle_rounds=1)
    assert {(row["group"], row["mode"]) for row in rows} == {
        (group, mode)
        for group in (socket_io.TALK, socket_io.IDLE_PEOPLE)
        for mode in socket_io.ROOMS
    }
    for row in rows:
        assert "refused" not in row, row
        if row["group"] == socket_io.TALK and "left_out" not in row:
            assert row["cpu_us"]["median"] > 0
            # From the tenth message on there is a digit more, and on a busy machine a ping.
            least = PLAIN if row["mode"] == socket_io.PLAIN else WITH_EVENT
            assert least <= row["bytes"]["median"] < least + 3
    assert psutil.Process().children() == before


def test_what_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "served", lambda _: program("benchmarks._shared.paths"))
    rows = socket_io.measure(PEOPLE, PEOPLE, rounds=1, idle_rounds=1)
    assert len(rows) == 2 * len(socket_io.ROOMS)
    assert {row["left_out"] for row in rows} == {"benchmarks._shared.paths did not start"}


def test_a_server_that_has_no_such_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket_io,
        "served",
        lambda _: program("stormy_demo.backend", "--port=0", "--logging=none"),
    )
    (row,) = socket_io.talks([socket_io.PLAIN], PEOPLE, rounds=1)
    assert row == {
        "group": socket_io.TALK,
        "mode": socket_io.PLAIN,
        "refused": f"0 of {PEOPLE} people are in the room: HTTP/1.1 400 Bad Request",
    }


@pytest.mark.parametrize("name", ["waiting", "socket_io"])
@pytest.mark.parametrize("option", ["--rounds=0", "--people=0", "--people=many"])
def test_nothing_is_measured_with_nobody(name: str, option: str) -> None:
    before = result_file(name).read_bytes()
    words = [sys.executable, "-m", f"benchmarks.{name}", option]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is no whole number from 1 on" in done.stderr
    assert result_file(name).read_bytes() == before


# -- what is kept ------------------------------------------------------------------------------


def test_a_quick_run_keeps_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"group": group, "mode": mode, "bytes": {"median": 14_000.0}}
        for group in (socket_io.TALK, socket_io.IDLE_PEOPLE)
        for mode in socket_io.ROOMS
    ]
    monkeypatch.setattr(socket_io, "measure", lambda *_: rows)
    monkeypatch.setattr(sys, "argv", ["socket_io", "--quick"])
    before = result_file("socket_io").read_bytes()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        socket_io.main()
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert result_file("socket_io").read_bytes() == before
    assert capsys.readouterr().out.count("14000") == 2 * len(socket_io.ROOMS)


def test_what_is_kept_is_what_is_measured() -> None:
    kept = result("socket_io")
    assert kept.groups == [socket_io.TALK, socket_io.IDLE_PEOPLE]
    assert kept.figures(socket_io.TALK) == ["cpu_us", "seconds", "bytes"]
    for group in kept.groups:
        assert kept.modes(group) == list(socket_io.ROOMS)
        assert kept.baseline(group) == socket_io.BASELINE


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_whatever_ends_the_benchmark_ends_the_servers(name: str) -> None:
    words = [sys.executable, "-m", "benchmarks.socket_io", "--people=5", "--quick"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stderr
        # By then all of the rooms are full.
        said = iter(bench.stderr.readline, "")
        # On a busy machine a server may have complained before.
        assert any(line.startswith(f"{socket_io.TALK}: warm") for line in said)
        servers = psutil.Process(bench.pid).children()
        bench.send_signal(getattr(signal, name))
        assert bench.wait(LONG) != 0
    assert servers
    _, alive = psutil.wait_procs(servers, timeout=LONG)
    assert not alive
