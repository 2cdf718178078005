"""Clients are measured by what they cost, and only if the server was not what was measured."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain, repeat
from pathlib import Path

import pytest
from tornado.web import Application, RequestHandler

from benchmarks import http_clients
from benchmarks._http_clients.clients import AT_ONCE, MODES
from benchmarks._shared.report import result_file
from benchmarks.http_clients import ALONE, APART, BASELINE, GROUPS, NEEDS
from classroom.measuring.program import Program, program
from classroom.measuring.rounds import Refused, Rounds
from loopfilm import running_apart
from tests.paths import ROOT

HERE = [mode for mode in MODES if mode != APART]
SHORT = 0.05  # seconds; how long it fetches is not what is tested


@pytest.fixture(scope="module")
def server() -> Iterator[Program]:
    with program("classroom.measuring.quick_server") as started:
        yield started


def skip_without(mode: str) -> None:
    need = NEEDS.get(mode)
    if need and not find_spec(need):
        pytest.skip(f"{need} is not installed")


@pytest.mark.parametrize(
    ("mode", "group"),
    [*((mode, group) for mode in HERE for group in ("kept", "new")), ("aiohttp", "large")],
)
def test_a_client_fetches_and_does_with_connections_what_its_group_says(
    server: Program, mode: str, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused otherwise; whether the server was busy is another question here."""
    skip_without(mode)
    monkeypatch.setattr(http_clients, "TOO_BUSY", float("inf"))
    figures = http_clients.fetched(server, group, mode, Path(sys.executable), SHORT)
    assert figures.keys() == {"cpu_us", "rps"}
    assert min(figures.values()) > 0


def test_a_client_that_is_told_something_else_is_refused() -> None:
    """A page of an error is quick, too."""
    said = chain([b"first"], repeat(b"other"))

    class Fickle(RequestHandler):
        def get(self) -> None:
            self.write(next(said))

    with running_apart(Application([("/", Fickle)])) as url:
        with pytest.raises(Refused, match="something else than the first one"):
            http_clients.run(Path(sys.executable), "simple", url, "kept", SHORT)
        with pytest.raises(Refused, match="HTTP 404: Not Found"):
            http_clients.run(Path(sys.executable), "simple", f"{url}/no", "kept", SHORT)


def test_a_client_that_waits_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_clients, "PATIENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(Refused, match=r"did not come to its end in 1\.1 seconds"):
            http_clients.run(Path(sys.executable), "simple", url, "kept", SHORT)


@pytest.mark.parametrize(
    ("mode", "group", "seen", "why"),
    [
        ("curl", "kept", {"answers": 99}, "counted 100 fetches, and the server 99 answers"),
        ("curl", "kept", {"opened": 50}, f"opened 50 connections, and should keep {AT_ONCE}"),
        ("curl", "large", {"opened": 50}, f"opened 50 connections, and should keep {AT_ONCE}"),
        ("curl", "new", {"opened": 10}, "made 100 fetches on 10 connections"),
        ("simple", "kept", {"opened": 10}, "made 100 fetches on 10 connections"),
        ("curl", "kept", {"busy": 0.8}, "the server was busy for 80% of the time"),
    ],
)
def test_what_says_nothing_of_a_client_is_refused(
    mode: str, group: str, seen: dict[str, float], why: str
) -> None:
    fine = {"fetches": 100, "answers": 100, "busy": 0.3}
    fine["opened"] = 100 if group == "new" or mode == "simple" else AT_ONCE
    http_clients.judge(mode, group, **fine)  # type: ignore[arg-type]
    with pytest.raises(Refused, match=why):
        http_clients.judge(mode, group, **{**fine, **seen})  # type: ignore[arg-type]


def test_a_client_nearly_as_fast_as_the_server_is_refused() -> None:
    seen = Rounds()
    for mode, rps in {"simple": 100.0, "curl": 500.0, ALONE: 600.0}.items():
        seen.figures[mode] = [{"cpu_us": 1.0, "rps": rps}]
    http_clients.refuse_the_fastest(seen)
    assert [*seen.refused] == ["curl"]
    seen.refused = {ALONE: "no answer came"}
    http_clients.refuse_the_fastest(seen)
    assert seen.refused["simple"] == "nothing is known of the server alone: no answer came"


def test_what_cannot_be_had_is_left_out_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(name: str, lock: Path) -> Path:
        raise http_clients.NoEnvironment("there is no network")

    monkeypatch.setattr(http_clients, "environment", none)
    monkeypatch.setitem(NEEDS, "curl", "nobody_has_this")
    there, left_out = http_clients.pythons()
    assert left_out == {
        "curl": "it needs nobody_has_this, which is not installed",
        "niquests": "there is no network",
    }
    assert there.keys() == MODES.keys() - left_out.keys()


def test_what_is_kept_has_all_groups_and_clients() -> None:
    kept = json.loads(result_file("http_clients").read_text(encoding="utf-8"))
    assert kept["about"]["baseline"] == BASELINE
    for group in GROUPS:
        there = {row["mode"] for row in kept["results"] if row["group"] == group}
        assert there | kept["left_out"].keys() == MODES.keys()


def test_quick_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only = {BASELINE: MODES[BASELINE]}
    monkeypatch.setattr(http_clients, "MODES", only)
    monkeypatch.setattr(http_clients, "QUICK_SECONDS", SHORT)
    monkeypatch.setattr(http_clients, "keep", None)
    monkeypatch.setattr(sys, "argv", ["http_clients", "--quick", "--rounds=1"])
    http_clients.main()
    shown = capsys.readouterr().out
    assert all(f"\n{group}\n" in shown for group in GROUPS)


def test_it_imports_nothing_of_the_kit_so_that_another_environment_can_run_it() -> None:
    code = "import sys, benchmarks._http_clients.clients; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {"classroom", "stormy_demo", "loopfilm", "trequests", "tornalet", "tools"}
    assert not (ours | {"tornado", "requests"}) & set(done.stdout.split())
