"""The benchmark of the servers: who is compared, who is refused, and what is kept."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from typing import Any

import psutil
import pytest

from benchmarks import servers
from benchmarks._servers import visiting
from benchmarks._servers.peers import ALONE, BASELINE, GROUPS, PEERS
from benchmarks._servers.visiting import measure_of, refuse_what_the_upstream_held
from benchmarks._shared.report import result_file
from classroom.measured import Result
from classroom.measuring.load import Visit
from classroom.measuring.program import NotStarted, Program, program
from classroom.measuring.rounds import Refused, Rounds
from loopfilm import running_apart
from stormy_demo.backend import Backend
from tests.addresses import nobody_listens

HELLO = GROUPS["hello"]


def rounds_of(**rates: list[float]) -> Rounds:
    rounds = Rounds()
    rounds.figures = {
        name.replace("_", " "): [{"rps": rate} for rate in each] for name, each in rates.items()
    }
    return rounds


# -- the peers ---------------------------------------------------------------------------------


def test_each_peer_takes_part_somewhere_and_the_first_everywhere() -> None:
    assert set(PEERS[BASELINE].groups) == set(GROUPS)
    for name, peer in PEERS.items():
        assert peer.groups, name
        assert set(peer.groups) <= set(GROUPS), name
        assert peer.about, name


def test_one_that_is_not_here_is_left_out_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NotStarted, match="node is not installed"):
        PEERS["Node's http"].start("http://127.0.0.1:9").__enter__()


def test_all_find_the_same_in_their_environment_and_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with PEERS[BASELINE].start("http://127.0.0.1:9") as server:
        there = server.process.environ()
    assert "HTTP_PROXY" not in there
    assert there["PATH"] == os.environ["PATH"]


def test_who_cannot_start_is_told_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = dataclasses.replace(PEERS["aiohttp"], words=("no_such_module",))
    monkeypatch.setattr(servers, "PEERS", {BASELINE: PEERS[BASELINE], "aiohttp": missing})
    monkeypatch.setattr(servers, "GROUPS", {"hello": dataclasses.replace(HELLO, at_once=5)})
    left_out: dict[str, str] = {}
    before = psutil.Process().children()
    found = servers.measure([BASELINE, "aiohttp"], 1, True, left_out)
    assert list(left_out) == ["aiohttp"]
    assert "did not start" in left_out["aiohttp"]
    (row,) = found["hello"].rows(BASELINE, group="hello")
    assert row["cpu_us"]["ratio"] == 1
    assert row["cpu_us"]["median"] > 0
    assert psutil.Process().children() == before


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "why"),
    [("/friends?user=ada", "it answers b'{"), ("/nothing?user=ada", "with the status 404")],
)
def test_who_answers_something_else_is_refused(path: str, why: str) -> None:
    with running_apart(Backend().app) as url:
        group = dataclasses.replace(HELLO, path=path)
        with pytest.raises(Refused, match=why):
            measure_of(Program(psutil.Process().pid, url), group, 1)()


def test_who_does_not_answer_is_refused() -> None:
    with nobody_listens() as url, pytest.raises(Refused, match="it does not answer"):
        measure_of(Program(psutil.Process().pid, url), HELLO, 1)()


def test_who_ends_meanwhile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with program("stormy_demo.peers.tornado_app", "--port=0") as server:

        def end(*_: object, **__: object) -> Visit:
            server.process.kill()
            server.process.wait()
            return Visit(1000, 1.0, 1.0, 1.0, 0.1)

        monkeypatch.setattr(visiting, "visit", end)
        with pytest.raises(Refused, match="it has ended"):
            measure_of(server, HELLO, 1)()


def test_whoever_keeps_the_upstream_busy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([10.0, 10.95])
    with program("stormy_demo.peers.tornado_app", "--port=0") as server:
        upstream = Program(server.pid, server.url)
        monkeypatch.setattr(upstream, "cpu", lambda: next(used))
        monkeypatch.setattr(visiting, "visit", lambda *_, **__: Visit(1000, 1.0, 1.0, 1.0, 0.1))
        with pytest.raises(Refused, match="the upstream was busy for 95% of the time"):
            measure_of(server, HELLO, 1, upstream)()


def test_who_gives_few_answers_is_asked_for_longer_and_then_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def slow(_: str, at_once: int, seconds: int) -> Visit:
        asked.append(seconds)
        return Visit(at_once * rate * seconds, seconds, 1.0, 1.0, 0.1)

    monkeypatch.setattr(visiting, "visit", slow)
    with program("stormy_demo.peers.tornado_app", "--port=0") as server:
        rate = 1
        measure = measure_of(server, HELLO, 2)
        assert measure()["rps"] == HELLO.at_once * rate
        assert measure()["rps"] == HELLO.at_once * rate
        assert asked == [2, 4, 4]
        asked.clear()
        rate = 0
        with pytest.raises(Refused, match="it gave 0 answers to 50 who asked at once"):
            measure_of(server, HELLO, 1)()
        assert asked == [1, 2, 4, 8]


def test_a_server_has_time_for_what_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([1.0, 1.1, 1.2, 1.2, 9.9])
    server = Program(psutil.Process().pid, "http://127.0.0.1:9")
    monkeypatch.setattr(server, "whole_cpu", lambda: next(used))
    visiting.let_it_finish(server)
    assert list(used) == [9.9]


def test_whoever_asks_about_as_much_as_the_upstream_can_answer_is_refused() -> None:
    rounds = rounds_of(slow=[300, 310, 999], near=[950, 940, 100], alone=[1000, 1000, 1000])
    refuse_what_the_upstream_held(rounds, "alone")
    assert rounds.refused == {
        "near": "it asked 94% of what the upstream answers when it is asked directly"
    }
    assert [row["mode"] for row in rounds.rows("slow") if "refused" not in row] == [
        "slow",
        "alone",
    ]


def test_nothing_is_known_where_the_upstream_could_not_be_measured() -> None:
    rounds = rounds_of(one=[300], two=[300], alone=[])
    rounds.refused = {"alone": "no answer came", "two": "it has ended"}
    refuse_what_the_upstream_held(rounds, "alone")
    assert rounds.refused["one"] == (
        "nobody knows what the upstream can answer: no answer came"
    )
    assert rounds.refused["two"] == "it has ended"


# -- the command -------------------------------------------------------------------------------


def test_a_quick_run_prints_its_table_and_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        servers,
        "GROUPS",
        {
            title: dataclasses.replace(group, at_once=5)
            for title, group in GROUPS.items()
            if title != "report"
        },
    )
    monkeypatch.setattr(sys, "argv", ["servers", "--quick", "--only", BASELINE])
    file = result_file("servers")
    before = file.read_bytes() if file.exists() else None
    servers.main()
    said = capsys.readouterr()
    for words in ("hello", "resource", BASELINE, ALONE):
        assert words in said.out
    assert "Nothing of this is kept" in said.err
    assert (file.read_bytes() if file.exists() else None) == before


@pytest.mark.parametrize(
    "words", [["--rounds", "0"], ["--rounds", "two"], ["--only", "nobody"]]
)
def test_what_the_command_does_not_understand_is_told(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["servers", *words])
    with pytest.raises(SystemExit) as ended:
        servers.main()
    assert ended.value.code == 2


def test_what_is_kept_says_with_what_and_compares_with_tornado(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(servers, "keep", lambda name, result: kept.update({name: result}))
    group = dataclasses.replace(GROUPS["resource"], at_once=5)
    monkeypatch.setattr(servers, "GROUPS", {"resource": group})
    monkeypatch.setattr(servers, "PEERS", {BASELINE: PEERS[BASELINE]})
    monkeypatch.setattr(sys, "argv", ["servers", "--rounds", "1", "--seconds", "1"])
    servers.main()
    result = Result(kept["servers"])
    assert result.modes("resource") == [BASELINE, ALONE]
    assert (result.about["at_once"], result.about["seconds"]) == (
        {"resource": 5},
        {"resource": 1},
    )
    assert result.about["peers"] == {BASELINE: PEERS[BASELINE].about}
    if why := result.why_not("resource", BASELINE):
        # On a machine that waits for nothing, five visitors of a fast server wait for the
        # backend alone, and the benchmark is right to refuse that.
        assert "of what the upstream answers" in why
    else:
        assert result.ratio("resource", BASELINE, "cpu_us") == 1
        assert list(kept["servers"]["results"][0]["upstream_percent"]) == ["median"]
