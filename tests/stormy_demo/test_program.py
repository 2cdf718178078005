"""A server as a program says where it listens, stops when told to, and explains a refusal."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tornado.web import Application, RequestHandler

from loopfilm import running_apart
from stormy_demo.program import main
from tests import quick_start
from tests.addresses import nobody_listens
from tests.paths import ROOT

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

SERVERS = ["backend", "blocking", "callbacks", "coroutines", "greenlets"]
STYLES = SERVERS[1:]
# Seconds that no machine is too busy for.
LONG = 500


def exit_status(server: str, *options: str) -> int:
    module = importlib.import_module(f"stormy_demo.{server}")
    status: int = module.main(module.make_app, ["", *options])
    return status


def command(server: str, *options: str) -> list[str]:
    return [sys.executable, "-m", f"stormy_demo.{server}", *options]


SIGNAL_COMES_AS_A_HANDLER_BEGINS = """
import signal, sys

from tornado.web import Application

from stormy_demo.program import main
from stormy_demo.sentences import SentenceHandler


class Handler(SentenceHandler):
    async def _execute(self, *arguments, **keywords):
        signal.raise_signal(signal.SIGTERM)
        await super()._execute(*arguments, **keywords)


sys.exit(main(lambda: Application([(".*", Handler)])))
"""

ENDS_ONE_AFTER_ANOTHER = """
import asyncio, sys

from tornado.web import Application

from stormy_demo.program import main
from stormy_demo.sentences import SentenceHandler

one_by_one = asyncio.Lock()


class Handler(SentenceHandler):
    async def get(self):
        try:
            await asyncio.Event().wait()
        finally:
            async with one_by_one:
                await asyncio.sleep(0.01)


sys.exit(main(lambda: Application([(".*", Handler)])))
"""

REFUSES_TO_END = """
import asyncio, sys

from tornado.web import Application

import loopfilm.ending
from stormy_demo.program import main
from stormy_demo.sentences import SentenceHandler

loopfilm.ending.GRACE_PERIOD = 0.1


class Handler(SentenceHandler):
    async def get(self):
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass


sys.exit(main(lambda: Application([("/wait", Handler)])))
"""


class Program:
    """A server that runs as a program."""

    def __init__(self, command: list[str]) -> None:
        self.process = quick_start.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        self.greeting = self.process.stdout.readline()
        self.url = self.greeting.split()[2]

    def stop(self, signum: int) -> tuple[int, list[str]]:
        """Send a signal; return the exit status, and what stood on the terminal after it."""
        self.process.send_signal(signum)
        return self.end()

    def end(self) -> tuple[int, list[str]]:
        """Wait for its end; return the exit status, and what stood on the terminal."""
        said, _ = self.process.communicate(timeout=LONG)
        return self.process.returncode, said.splitlines()


def program(server: str, *options: str) -> contextlib.AbstractContextManager[Program]:
    return started(command(server, "--port=0", *options))


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[Program]:
    running_program = Program(command)
    try:
        yield running_program
    finally:
        running_program.process.kill()
        running_program.process.communicate()


def run(server: str, *options: str) -> subprocess.CompletedProcess[str]:
    return quick_start.run(
        command(server, *options), cwd=ROOT, capture_output=True, text=True, timeout=LONG
    )


def assert_one_sentence(said: str, *words: str) -> None:
    assert len(said.splitlines()) == 1, said
    for word in words:
        assert word in said


BY_SIGNAL = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


class TestPrograms:
    @BY_SIGNAL
    @pytest.mark.parametrize("server", SERVERS)
    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
    def test_serves_until_it_is_told_to_stop(self, server: str, signum: int) -> None:
        with program(server) as p:
            assert p.url.startswith("http://127.0.0.1:")
            assert "Ctrl-C" in p.greeting
            path = "/profile" if server == "backend" else "/resources/"
            answer = requests.get(p.url + path, params={"user": "ada"}, timeout=LONG)
            assert answer.json()["profile"] == "Ada Lovelace"
            status, said = p.stop(signum)
        assert status == 0
        # The backend, in a thread of its own, may log its last answer later.
        assert [line for line in said if " 200 GET " not in line] == ["stopped"]

    @BY_SIGNAL
    @pytest.mark.parametrize("server", SERVERS)
    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
    def test_stops_although_requests_are_under_way(self, server: str, signum: int) -> None:
        """Also if one of them holds the loop, as in `blocking`."""
        with program(server, "--delay=60") as p:
            path = "/profile?user=ada" if server == "backend" else "/resources/?user=ada"
            with ask_and_wait(p.url, path) as connection, connected(p.url) as other:
                send(other, path)
                status, said = p.stop(signum)
                assert_stopped(connection)
        assert status == 0
        assert said[-1] == "stopped"
        # Tornado's lines for requests that were cut off, or came too late, and nothing else.
        assert [line for line in said[:-1] if " 503 GET " not in line] == []

    @BY_SIGNAL
    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
    def test_tells_those_who_wait_behind_one_that_blocks(self, signum: int) -> None:
        """Some have a handler by then, others are in the queue of the system."""
        asked, turns = threading.Semaphore(0), threading.Semaphore(0)

        class OneByOne(RequestHandler):
            def get(self) -> None:
                asked.release()
                turns.acquire()
                self.write({self.request.path.strip("/"): 1})

        with contextlib.ExitStack() as stack:
            backend = stack.enter_context(running_apart(Application([(".*", OneByOne)])))
            # Whatever happens, the backend must end.
            stack.callback(turns.release, 1000)
            p = stack.enter_context(
                program("blocking", f"--backend={backend}", "--deadline=60000")
            )
            first, *others = [stack.enter_context(known(p.url)) for _ in range(20)]
            send(first)
            assert asked.acquire(timeout=LONG)
            for other in others:
                send(other)
            # The first is answered, and the loop reads what all others have sent.
            turns.release(3)
            assert first.recv(1000).startswith(b"HTTP/1.1 200 ")
            for _ in range(3):
                assert asked.acquire(timeout=LONG)
            late = [stack.enter_context(connected(p.url)) for _ in range(20)]
            for each in late:
                send(each)
            status, said = p.stop(signum)
            for each in (*others, *late):
                assert_stopped(each)
        assert status == 0
        assert said[-1] == "stopped"

    @BY_SIGNAL
    def test_answers_although_the_signal_comes_as_a_handler_begins(
        self, tmp_path: Path
    ) -> None:
        """Tornado answers a handler that is cancelled, but not before its first lines."""
        script = tmp_path / "server.py"
        script.write_text(SIGNAL_COMES_AS_A_HANDLER_BEGINS)
        with started([sys.executable, str(script), "--port=0"]) as p:
            with connected(p.url) as connection:
                send(connection)
                assert_stopped(connection)
            assert p.end()[0] == 0

    @BY_SIGNAL
    def test_tells_those_whose_handlers_end_one_after_another(self, tmp_path: Path) -> None:
        script = tmp_path / "server.py"
        script.write_text(ENDS_ONE_AFTER_ANOTHER)
        with started([sys.executable, str(script), "--port=0"]) as p:
            with contextlib.ExitStack() as stack:
                waiting = [stack.enter_context(ask_and_wait(p.url, "/")) for _ in range(30)]
                p.process.send_signal(signal.SIGTERM)
                for each in waiting:
                    assert_stopped(each)
            status, said = p.end()
        assert (status, said[-1]) == (0, "stopped")

    @BY_SIGNAL
    def test_does_not_wait_for_ever_for_a_handler_that_refuses(self, tmp_path: Path) -> None:
        script = tmp_path / "server.py"
        script.write_text(REFUSES_TO_END)
        with (
            started([sys.executable, str(script), "--port=0"]) as p,
            ask_and_wait(p.url, "/wait") as connection,
            # By then it has begun.
            known(p.url),
        ):
            status, _ = p.stop(signal.SIGTERM)
            assert connection.recv(1000) == b""
        assert status == 0

    @BY_SIGNAL
    @pytest.mark.parametrize("server", STYLES)
    def test_stops_although_the_backend_does_not_answer(self, server: str) -> None:
        asked = threading.Semaphore(0)

        class Hangs(RequestHandler):
            async def get(self) -> None:
                asked.release()
                await asyncio.Event().wait()

        with (
            running_apart(Application([(".*", Hangs)])) as backend,
            program(server, f"--backend={backend}", "--deadline=60") as p,
            ask_and_wait(p.url, "/resources/?user=ada"),
        ):
            assert asked.acquire(timeout=LONG)
            status, said = p.stop(signal.SIGINT)
        assert status == 0
        assert said[-1] == "stopped"
        assert [line for line in said[:-1] if " 503 GET " not in line] == []

    @pytest.mark.parametrize("server", SERVERS)
    def test_says_which_option_helps_when_the_port_is_taken(self, server: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = run(server, f"--port={port}")
        assert said.returncode == 1
        assert_one_sentence(said.stderr, str(port), "in use", "--port")
        assert said.stdout == ""

    def test_says_that_it_cannot_have_an_address(self) -> None:
        said = run("coroutines", "--port=0", "--address=192.0.2.1")
        assert said.returncode == 1
        assert_one_sentence(said.stderr, "192.0.2.1")

    def test_blames_the_port_for_nothing_else(self) -> None:
        with nobody_listens() as url:
            free = url.rpartition(":")[2]
            said = run("coroutines", f"--port={free}", "--address=192.0.2.1")
        assert said.returncode == 1
        assert_one_sentence(said.stderr, "192.0.2.1")
        assert "--port" not in said.stderr

    @pytest.mark.parametrize("server", SERVERS)
    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("--port=abc", "--port=abc"),
            ("--port=99999", "port 65535"),
            ("--port=-1", "port 65535"),
            ("--port=", "--port="),
            ("--port=nan", "--port=nan"),
            ("--address=", "address"),
            ("--port", "'port' value"),
            ("--nonsense", "--nonsense"),
            ("--delay=-1", "delay -1"),
            ("--delay=nan", "delay nan"),
            ("--delay=1e10", "delay day"),
            ("--delay=1e400", "delay day"),
            ("--delay=", "--delay="),
            ("--delay=soon", "--delay=soon"),
            ("--logging=loud", "log loud warning"),
            ("--logging=", "log warning"),
            ("--log_to_stderr=maybe", "--log_to_stderr=maybe true false"),
            ("--log-to-stderr=no", "--log-to-stderr=no true false"),
            ("stray", "stray"),
            ("-", "-"),
        ],
    )
    def test_refuses_an_option_in_one_sentence(
        self, server: str, option: str, words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert exit_status(server, "--logging=none", option) == 2
        out, err = capsys.readouterr()
        assert_one_sentence(err, *words.split(), "--help")
        assert out == ""

    @pytest.mark.parametrize("server", STYLES)
    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("--deadline=0", "deadline 0"),
            ("--deadline=-2", "deadline -2"),
            ("--deadline=nan", "deadline nan"),
            ("--deadline=1e10", "deadline day"),
            ("--deadline=", "--deadline="),
            ("--backend=nonsense", "backend http://"),
            ("--backend=http://", "backend http://"),
            ("--backend=http://127.0.0.1:99999", "backend http://"),
            ("--backend=http://[::1", "backend http://"),
        ],
    )
    def test_refuses_a_setting_in_one_sentence(
        self, server: str, option: str, words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.test_refuses_an_option_in_one_sentence(server, option, words, capsys)

    @pytest.mark.parametrize(
        ("words", "refusal"),
        [
            ("--port abc", "--port=abc"),
            ("--port -1", "port 65535 -1"),
            ("--port --delay=1", "'port' value"),
            ("--delay 1 --port", "'port' value"),
            ("--delay soon", "--delay=soon"),
            ("--log-to-stderr maybe", "--log-to-stderr=maybe true false"),
            ("--nonsense 3", "--nonsense"),
            ("--port 0 stray", "stray"),
        ],
    )
    def test_refuses_a_value_in_the_next_word_in_one_sentence(
        self, words: str, refusal: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert exit_status("coroutines", "--logging=none", *words.split()) == 2
        out, err = capsys.readouterr()
        assert_one_sentence(err, *refusal.split(), "--help")
        assert out == ""

    @pytest.mark.parametrize("server", SERVERS)
    def test_ends_with_status_2_after_a_bad_option(self, server: str) -> None:
        said = run(server, "--port=abc")
        assert said.returncode == 2
        assert_one_sentence(said.stderr, "--port=abc", "--help")
        assert said.stdout == ""

    @pytest.mark.parametrize("server", SERVERS)
    def test_lists_its_options(self, server: str) -> None:
        said = run(server, "--help")
        assert said.returncode == 0
        assert "--port" in said.stdout + said.stderr
        assert "--delay" in said.stdout + said.stderr


def test_the_help_says_of_an_option_what_the_docstring_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def make_app(step: float = 0.5, delay: float = 0.0, deadline: float = 2.0) -> Application:
        """Make it.

        Args:
            step: seconds that a step takes, which
                nothing can shorten.
            delay: another meaning than everywhere else.

        Returns:
            It.
        """
        return Application()

    with pytest.raises(SystemExit):
        main(make_app, ["server", "--help"])
    said = " ".join("".join(capsys.readouterr()).split())
    assert "--step seconds that a step takes, which nothing can shorten (default 0.5)" in said
    assert "--delay another meaning than everywhere else (default 0.0)" in said
    # What most of them mean by it need not be said again.
    assert "--deadline give the backend this many seconds for everything (default 2.0)" in said


@contextlib.contextmanager
def ask_and_wait(url: str, path: str) -> Iterator[socket.socket]:
    """Send a question, and go on when a handler has it."""
    with connected(url) as connection:
        send(connection, path, "Expect: 100-continue\r\n")
        goes_on = b"HTTP/1.1 100 (Continue)\r\n\r\n"
        assert connection.recv(len(goes_on), socket.MSG_WAITALL) == goes_on
        yield connection


def connected(url: str) -> socket.socket:
    """Connect to a server."""
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=LONG)


def known(url: str) -> socket.socket:
    """Connect to a server, and go on when it has answered something."""
    connection = connected(url)
    send(connection, "/")
    assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")
    return connection


def send(
    connection: socket.socket, path: str = "/resources/?user=ada", fields: str = ""
) -> None:
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n{fields}\r\n".encode())


def assert_stopped(connection: socket.socket) -> None:
    """Check that a client was told, in a sentence, that the server was stopped."""
    head, _, body = connection.recv(1000).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert json.loads(body) == {"error": "The server was stopped before it could answer."}


@pytest.mark.parametrize(
    "words",
    [
        ["--port=0", "--delay=0.5", "--log-to-stderr=false"],
        ["--port", "0", "--delay", "0.5", "--log-to-stderr", "false"],
    ],
    ids=["one word", "two words"],
)
def test_a_value_stands_behind_a_sign_or_in_the_next_word(words: list[str]) -> None:
    given = []

    def make_app(delay: float = 0.0) -> Application:
        given.append(delay)
        raise KeyboardInterrupt

    assert main(make_app, ["program", *words]) == 130
    assert given == [0.5]


@pytest.mark.parametrize(
    "words",
    ["--is-safe=no", "--is_safe=off", "--is-safe maybe", "--is-safe=False,"],
)
def test_refuses_what_is_neither_yes_nor_no(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """To take it for a yes, or for a no, would surprise somebody."""

    def make_app(is_safe: bool = True) -> Application:
        raise AssertionError

    assert main(make_app, ["program", "--port=0", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert_one_sentence(err, words.replace(" ", "="), "true or false", "--help")
    assert out == ""


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("--is-safe", True),
        ("--is-safe=T", True),
        ("--is-safe 0", False),
        ("--is-safe=F", False),
    ],
)
def test_takes_a_yes_and_a_no(words: str, means: bool) -> None:
    given = []

    def make_app(is_safe: bool = not means) -> Application:
        given.append(is_safe)
        raise KeyboardInterrupt

    assert main(make_app, ["program", "--port=0", *words.split()]) == 130
    assert given == [means]


def test_ends_silently_if_it_is_interrupted_while_the_application_is_made(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def make_app() -> Application:
        raise KeyboardInterrupt

    assert main(make_app, ["program", "--port=0"]) == 130
    assert capsys.readouterr() == ("", "")


def test_ends_silently_if_it_is_interrupted_once_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextlib.contextmanager
    def is_interrupted() -> Iterator[None]:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        yield
        signal.raise_signal(signal.SIGINT)

    app = Application(while_running=is_interrupted)
    assert main(lambda: app, ["program", "--port=0"]) == 130
    assert capsys.readouterr().err == ""


def test_what_fails_while_it_starts_is_not_taken_for_a_port(tmp_path: Path) -> None:
    @contextlib.contextmanager
    def reads() -> Iterator[None]:
        (tmp_path / "nowhere").read_bytes()
        yield

    with pytest.raises(FileNotFoundError):
        main(lambda: Application(while_running=reads), ["program", "--port=0"])
