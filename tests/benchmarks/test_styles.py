"""The benchmark of the styles: whom it refuses, and what it leaves behind when it is ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from tornado.web import Application, RequestHandler

from benchmarks import styles
from classroom.log import logs
from classroom.measuring.program import Program
from classroom.measuring.rounds import Refused
from loopfilm import running_apart
from tests.paths import ROOT

LONG = 500  # seconds that no machine is too busy for


class Resources(RequestHandler):
    def get(self) -> None:
        if self.get_argument("user") == "person3":
            self.set_status(503)
        self.write("{}")


@pytest.fixture(scope="module")
def server() -> Iterator[Program]:
    """A server in this process, which is as busy as the visitors are."""
    app = Application([("/resources/", Resources)])
    with logs(), running_apart(app) as url:
        yield Program(psutil.Process().pid, url)


def test_a_crowd_is_counted(server: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(styles, "TOO_BUSY", float("inf"))
    seen = styles.measured(server, server, 2, 3)
    assert seen.keys() == {"rps", "cpu_us"}
    assert min(seen.values()) > 0


def test_who_gets_an_error_is_no_answer(server: Program) -> None:
    with pytest.raises(Refused, match="somebody got no answer: HTTP 503"):
        styles.measured(server, server, 2, 4)


def test_where_nobody_listens_nobody_is_answered(server: Program) -> None:
    with pytest.raises(Refused, match="somebody got no answer: "):
        styles.measured(Program(server.pid, "http://127.0.0.1:1"), server, 1, 1)


def test_visitors_who_were_busy_are_refused(
    server: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styles, "TOO_BUSY", 0.0)
    with pytest.raises(Refused, match=r"^the visitors were busy for \d+% of the time"):
        styles.measured(server, server, 1, 1)


def test_who_has_ended_is_refused(server: Program) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as gone:
        ended = Program(gone.pid, server.url)
    with pytest.raises(Refused, match="ended"):
        styles.measured(ended, server, 1, 1)


@pytest.mark.parametrize(
    ("options", "rounds"),
    [(["--quick"], 2), (["--quick", "--rounds=7"], 7), ([], 5), (["--rounds=1"], 1)],
)
def test_what_is_measured_quickly_is_not_kept(
    options: list[str],
    rounds: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked, kept = [], []

    def measure(rounds: int) -> list[dict[str, Any]]:
        asked.append(rounds)
        figures = {"rps": {"median": 3.0}, "cpu_us": {"median": 5.0}}
        groups = map(styles.group, styles.CROWDS)
        return [{"group": group, "mode": styles.BASELINE, **figures} for group in groups]

    monkeypatch.setattr(styles, "measure", measure)
    monkeypatch.setattr(styles, "keep", lambda *given: kept.append(given))
    monkeypatch.setattr(sys, "argv", ["styles", *options])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    styles.main()
    assert asked == [rounds]
    assert [name for name, _ in kept] == ([] if "--quick" in options else ["styles"])
    assert f"asked by {styles.LOAD}" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="its signals end a program at once")
@pytest.mark.parametrize("name", ["styles", "queueing", "processes"])
def test_who_is_told_to_end_leaves_no_server_behind(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as bench:
        watched = psutil.Process(bench.pid)
        while not any("--port=0" in each.cmdline() for each in watched.children()):
            assert bench.poll() is None
        started = watched.children(recursive=True)
        bench.terminate()
        assert bench.wait(LONG) == 1
    _, alive = psutil.wait_procs(started, timeout=LONG)
    assert not alive
