"""The databases that are started for a while are gone after it, whatever has happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from stormy_demo.neighbours.counterparts import secantus as module
from stormy_demo.neighbours.counterparts.databases import POSTGRES, databases, schema
from stormy_demo.neighbours.counterparts.secantus import HAS_MONGO, NoMongo, secantus
from tests.paths import ROOT

needs_secantus = pytest.mark.skipif(
    not HAS_MONGO, reason="SecantusDB has no wheel for this Python"
)

# Seconds that no machine is too busy for.
LONG = 500

HOLDS_ONE = """
import time
from stormy_demo.neighbours.counterparts.secantus import secantus

with secantus() as url:
    print(url, flush=True)
    time.sleep(10_000)
"""


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


@needs_secantus
class TestSecantus:
    def test_it_listens_here_alone_and_ends_with_the_block(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
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
            assert list(tmp_path.iterdir())
        assert psutil.Process().children(recursive=True) == before
        assert list(tmp_path.iterdir()) == []

    def test_it_ends_when_whoever_started_it_is_killed(self) -> None:
        with holder() as (process, family):
            folder = Path(family[-1].cwd())
            process.kill()
            assert not psutil.wait_procs(family[1:], LONG)[1]
            while folder.exists():
                pass

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    def test_a_signal_for_the_process_between_ends_it_too(self) -> None:
        with holder() as (_, family):
            folder = Path(family[-1].cwd())
            between, server = family
            between.send_signal(signal.SIGTERM)
            # Not for the one between, since nobody buries that as long as this block lasts.
            assert not psutil.wait_procs([server], LONG)[1]
            while folder.exists():
                pass


class TestWhereThereIsNone:
    def test_it_says_so(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        script = tmp_path / "keeper.py"
        script.write_text("print('No module named secantus')")
        monkeypatch.setattr(module, "__file__", str(script))
        with pytest.raises(NoMongo, match="No module named secantus"), secantus():
            pass

    def test_who_starts_it_is_told_the_last_that_it_said(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        complaint = "import sys; sys.exit('no memory left')"
        with subprocess.Popen(
            [sys.executable, "-c", complaint], stderr=subprocess.PIPE, text=True
        ) as server:
            module.tell(server)
        assert capsys.readouterr().out == "no memory left\n"

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
