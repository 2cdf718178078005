"""The databases that are started for a while are gone after it, whatever has happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from stormy_demo.neighbours.counterparts import secantus as module
from stormy_demo.neighbours.counterparts.databases import POSTGRES, databases, schema
from stormy_demo.neighbours.counterparts.secantus import NoMongo, secantus
from tests.paths import ROOT

# Seconds that no machine is too busy for.
LONG = 500

HOLDS_ONE = """
import time
from stormy_demo.neighbours.counterparts.secantus import secantus

with secantus() as url:
    print(url, flush=True)
    time.sleep(10_000)
"""


# To start the real one takes seconds; test_messages.py does.
STAND_IN = """
import socket, sys, time
from pathlib import Path

assert sys.argv[1:2] == ["--config"] and Path(sys.argv[2]).read_text() == ""
there = socket.create_server(("127.0.0.1", 0))
print(f"listening on 127.0.0.1:{there.getsockname()[1]}", file=sys.stderr, flush=True)
print("and more" * 100_000, file=sys.stderr, flush=True)
Path("all is said").touch()
time.sleep(10_000)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have another SecantusDB, which only listens and talks."""
    (package := tmp_path / "stand_in" / "secantus").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


@contextmanager
def holder() -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """Start a process that holds a server; give it, and the two that it has started."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_ONE], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("mongodb://127.0.0.1:")
            family = psutil.Process(process.pid).children(recursive=True)
            assert len(family) == 2
            yield process, family
        finally:
            process.kill()


def children_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Wait until a process has started others, and return these."""
    parent = psutil.Process(process.pid)
    wait_until(lambda: bool(parent.children()))
    return list(parent.children())


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.usefixtures("stand_in")
class TestSecantus:
    def test_it_listens_here_alone_and_ends_with_the_block(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (temporary := tmp_path / "temporary").mkdir()
        for name in ("TMPDIR", "TMP", "TEMP"):
            monkeypatch.setenv(name, str(temporary))
        before = psutil.Process().children(recursive=True)
        with secantus() as url:
            family = psutil.Process().children(recursive=True)
            [place] = [
                each.laddr
                for process in family
                if process not in before
                for each in process.net_connections("inet")
                if each.status == psutil.CONN_LISTEN
            ]
            assert url == f"mongodb://127.0.0.1:{place.port}"
            assert place.ip == "127.0.0.1"
            [folder] = temporary.iterdir()
            # What it says is read, so that it never waits for a reader.
            wait_until((folder / "all is said").exists)
        assert psutil.Process().children(recursive=True) == before
        assert list(temporary.iterdir()) == []

    def test_it_says_nothing_when_nobody_reads_it_any_more(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """What stays in a buffer would be told at the end of the one between."""
        monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
        with secantus():
            pass
        assert capfd.readouterr() == ("", "")

    def test_it_ends_without_a_word_when_nobody_waits_for_its_address(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
        read, write = os.pipe()
        os.close(read)
        with subprocess.Popen(
            [sys.executable, "-P", module.__file__],
            stdin=subprocess.PIPE,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
        ) as keeper:
            os.close(write)
            [server] = children_of(keeper)
            wait_until((Path(server.cwd()) / "all is said").exists)
            assert keeper.communicate(timeout=LONG)[1] == ""
        assert keeper.returncode == 0

    def test_it_ends_when_whoever_started_it_is_killed(self) -> None:
        with holder() as (process, family):
            folder = Path(family[-1].cwd())
            process.kill()
            assert not psutil.wait_procs(family[1:], LONG)[1]
            wait_until(lambda: not folder.exists())

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    @pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
    def test_a_signal_for_the_process_between_ends_it_too(self, name: str) -> None:
        with holder() as (_, family):
            folder = Path(family[-1].cwd())
            between, server = family
            between.send_signal(getattr(signal, name))
            # Not for the one between, since nobody buries that as long as this block lasts.
            assert not psutil.wait_procs([server], LONG)[1]
            wait_until(lambda: not folder.exists())

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sessions")
    def test_a_ctrl_c_in_the_terminal_does_not_come_to_it(self) -> None:
        with holder() as (process, family):
            assert os.getsid(family[0].pid) != os.getsid(process.pid)


class TestCtrlC:
    def test_leaves_no_timer_that_the_program_would_wait_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Interrupted(subprocess.Popen[str]):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                assert self.stdout
                self.stdout.readline = interrupt  # type: ignore[method-assign]

        def interrupt(*_: Any) -> str:
            raise KeyboardInterrupt

        before = threading.active_count()
        monkeypatch.setattr(module.subprocess, "Popen", Interrupted)
        with pytest.raises(KeyboardInterrupt), secantus():
            pass
        wait_until(lambda: threading.active_count() == before)


class TestWhereThereIsNone:
    def test_it_says_so(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        script = tmp_path / "keeper.py"
        script.write_text("print('No module named secantus')")
        monkeypatch.setattr(module, "__file__", str(script))
        with pytest.raises(NoMongo, match="No module named secantus"), secantus():
            pass

    def test_one_that_says_nothing_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        script = tmp_path / "keeper.py"
        script.write_text("import sys; sys.stdin.read()")
        monkeypatch.setattr(module, "__file__", str(script))
        monkeypatch.setattr(module, "LONGEST_START", 0.1)
        with pytest.raises(NoMongo, match="SecantusDB did not start"), secantus():
            pass

    def test_who_starts_it_is_told_the_last_that_it_said(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        complaint = "import sys; sys.exit('no memory left')"
        with subprocess.Popen(
            [sys.executable, "-c", complaint], stderr=subprocess.PIPE, text=True
        ) as server:
            module.tell(server)
        assert capfd.readouterr().out == "no memory left\n"

    def test_sqlite_is_everywhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stormy_demo.neighbours.counterparts.databases.HAS_MONGO", False)
        monkeypatch.delenv(POSTGRES, raising=False)
        with databases() as urls:
            assert urls == ["sqlite:"]


class TestSchema:
    def test_it_is_a_room_of_its_own_and_gone_after_the_block(self) -> None:
        url = os.environ.get(POSTGRES)
        if not url:
            pytest.skip(f"{POSTGRES} in the environment has the address of no PostgreSQL")
        psycopg = pytest.importorskip("psycopg")

        def schemas() -> int:
            with psycopg.connect(url) as db:
                found = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
                return int(db.execute(found, [name]).fetchone()[0])

        with schema(url) as one, schema(url) as other:
            with psycopg.connect(one) as db:
                db.execute("CREATE TABLE things (n int)")
                [name] = db.execute("SELECT current_schema()").fetchone()
            with psycopg.connect(other) as db:
                assert db.execute("SELECT to_regclass('things')").fetchone() == (None,)
            assert schemas() == 1
        assert schemas() == 0
