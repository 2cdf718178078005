"""One process and two: who answers, what is computed, and what the benchmark makes of it."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from benchmarks import processes
from benchmarks._processes.ways import BASELINE, EACH, GROUPS, POOL, THREADS, WAYS, Group
from classroom.held import held
from classroom.measuring.program import Program, program
from classroom.measuring.rounds import Refused
from stormy_demo.batteries.prefork import HAS_FORK
from stormy_demo.peers.computing import compute, done
from stormy_demo.peers.tornado_processes import MOST_TIMES
from tests.paths import ROOT

SERVER = processes.SERVER
LONG = 500  # seconds that no machine is too busy for
FORKS = pytest.mark.skipif(not HAS_FORK, reason="this system has no fork")


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=LONG)


@pytest.fixture(scope="module", params=[BASELINE, THREADS, POOL])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, Program]]:
    with program(SERVER, "--port=0", *WAYS[request.param]) as started:
        yield request.param, started


def test_it_says_hello_and_computes(server: tuple[str, Program]) -> None:
    way, started = server
    assert get(started.url).text == "Hello, world"
    found = get(f"{started.url}/compute?times=1000").json()
    assert found["answer"] == compute(1000) == sum(n * n % 7 for n in range(1000))
    assert found["began"] <= found["ended"]
    if way == POOL:
        (parent,) = {each.ppid() for each in started.process.children()}
        assert parent == started.pid != found["process"]
    else:
        assert found["process"] == started.pid


def test_a_digest_is_that_of_the_standard_library(server: tuple[str, Program]) -> None:
    _, started = server
    hashed = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10)
    found = get(f"{started.url}/digest?times=10").json()
    assert found["answer"] == int.from_bytes(hashed[:4], "big")


@pytest.mark.parametrize(
    "query",
    [
        "times=0",
        "times=-1",
        "times=x",
        "times=1.5",
        "times=",
        "times=1&times=2",
        "times=٣",
        f"times={MOST_TIMES + 1}",
        f"times={'9' * 1000}",
    ],
)
def test_what_is_no_amount_is_refused_in_a_sentence(
    query: str, server: tuple[str, Program]
) -> None:
    answer = get(f"{server[1].url}/compute?{query}")
    assert answer.status_code == 400
    assert "times must be" in answer.json()["error"]


def who(server: Program) -> int:
    """Which process answers."""
    number: int = get(f"{server.url}/compute").json()["process"]
    return number


@FORKS
def test_two_processes_answer_at_one_socket() -> None:
    with program(SERVER, "--port=0", "--processes=2") as started:
        first = who(started)
        with held(first):
            second = who(started)
        assert {first, second} == {each.pid for each in started.process.children()}
        before = started.whole_cpu()
        get(f"{started.url}/compute?times=100000")
        assert started.whole_cpu() > before


@FORKS
def test_the_system_divides_who_comes_among_two_sockets() -> None:
    with program(SERVER, "--port=0", "--processes=2", "--reuse-port") as started:
        seen = set[int]()
        # Which of them gets a connection is a matter of its numbers, and each has new ones.
        while len(seen) < 2:
            seen.add(who(started))
        assert seen == {each.pid for each in started.process.children()}


def test_it_ends_when_it_is_told_to() -> None:
    command = [sys.executable, "-m", SERVER, "--port=0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        url = started.stdout.readline().split()[2]
        assert get(url).status_code == 200
        if sys.platform == "win32":
            started.kill()
            return
        started.terminate()
        assert started.wait(LONG) == 0
        assert started.stdout.read() == "stopped\n"


@pytest.mark.parametrize(
    "option", ["--processes=0", "--processes=two", "--processes=65", "--pool=fibres"]
)
def test_a_wrong_option_is_refused(option: str) -> None:
    command = [sys.executable, "-m", SERVER, "--port=0", option]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 2
    assert f"argument {option.partition('=')[0]}: " in done.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", SERVER, f"--port={port}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 1
    assert f"cannot listen on port {port}: " in done.stderr
    assert "Traceback" not in done.stderr


# -- the benchmark -----------------------------------------------------------------------------


def test_each_group_has_the_baseline_and_ways_that_there_are() -> None:
    for group in GROUPS.values():
        assert group.ways[0] == BASELINE
        assert {*group.ways} <= {*WAYS}


@FORKS
def test_it_compares_what_each_took_with_the_one_process() -> None:
    groups = {"hello": Group("/", 2, (BASELINE, EACH))}
    one, two = processes.measure(1, 1, warm_up=False, groups=groups)
    assert (one["group"], one["mode"], two["mode"]) == ("hello", BASELINE, EACH)
    figures = {"cpu_us", "rps", "p99_ms", "processors", "load_processors"}
    for row in (one, two):
        assert set(row) == {"group", "mode"} | figures
        # What asks may need too little to be seen.
        assert all(row[figure]["median"] > 0 for figure in figures - {"load_processors"})
    assert one["rps"]["ratio"] == 1
    assert two["rps"]["lowest"] == two["rps"]["ratio"] == two["rps"]["highest"]


@FORKS
def test_whose_answers_are_wrong_is_refused() -> None:
    groups = {"wrong": Group("/compute?times=0", 1, (BASELINE,))}
    (row,) = processes.measure(1, 1, warm_up=False, groups=groups)
    assert row["refused"] == "it gives no answer: HTTP Error 400: Bad Request"


@FORKS
def test_who_has_ended_is_refused() -> None:
    with program(SERVER, "--port=0") as server:
        pass
    with pytest.raises(Refused, match=r"^it has ended$"):
        processes.figures(server, "/", 1, 1)


@FORKS
@pytest.mark.parametrize(("options", "rounds"), [([], 1), (["--rounds=2"], 2)])
def test_a_quick_look_keeps_nothing(
    options: list[str],
    rounds: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{"group": name, "mode": BASELINE, "rps": {"median": 1.0}} for name in GROUPS]
    asked: list[tuple[Any, ...]] = []

    def measure(*given: Any, **more: Any) -> list[dict[str, Any]]:
        asked.append((*given, more["warm_up"]))
        return rows

    monkeypatch.setattr(processes, "measure", measure)
    monkeypatch.setattr(processes, "SHOWN", ("rps",))
    monkeypatch.setattr(processes, "keep", lambda *_: pytest.fail("it was kept"))
    monkeypatch.setattr(sys, "argv", ["processes", "--quick", *options])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    processes.main()
    assert asked == [(rounds, processes.QUICK_SECONDS, False)]
    said = capsys.readouterr().out
    assert all(f"\n{name}\n" in said for name in GROUPS)


def test_the_process_that_computes_is_said() -> None:
    assert done(compute, 3) | {"began": 0, "ended": 0} == {
        "answer": 0 + 1 + 4,
        "process": os.getpid(),
        "began": 0,
        "ended": 0,
    }
