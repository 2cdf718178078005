"""All peers answer the same, and end when they are told to."""

from __future__ import annotations

import http.client
import importlib.util
import json
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from email.utils import parsedate_to_datetime

import psutil
import pytest

from loopfilm import LOCALHOST
from stormy_demo.agreed import NoAnswer, TooLate
from stormy_demo.peers import answers, starting
from stormy_demo.peers.asking import CLIENTS, NEEDS
from stormy_demo.peers.starting import need, one_or_more, port
from stormy_demo.peers.upstream import Connection, Upstream, milliseconds
from stormy_demo.peers.wsgi_app import ask, wide_session
from tests import quick_start
from tests.paths import ROOT

from ..bad_backends import MISUNDERSTOOD, OK, UNREACHED, Says, Told, bad_backend, lines, says

# Each with what it cannot do without.
PEERS = {
    "tornado_app": "",
    "tornado_app --loop=uvloop": "uvloop",
    "tornado_app --client=curl": "pycurl",
    "tornado_app --client=aiohttp": "aiohttp",
    "tornado_raw": "",
    "uvicorn_server": "uvicorn httptools uvloop httpx",
    "uvicorn_server --loop=asyncio --http=h11 --client=aiohttp": "uvicorn h11 aiohttp",
    "granian_server": "granian uvloop httpx",
    "aiohttp_app": "aiohttp",
    "gevent_wsgi --nodelay": "gevent",
    "gevent_wsgi": "gevent",
    "flask_waitress --threads=3": "flask waitress",
    "node_http.js": "",
}
# What to import of them, where it is more than the package itself.
MODULES = {
    "aiohttp": "aiohttp.web",
    "granian": "granian.server",
    "uvicorn": "uvicorn.protocols.http.auto",
}
RESOURCE = b'{"user": "ada", "profile": "Ada Lovelace"}'
PAGES = {
    "/": (answers.TEXT, b"Hello, world"),
    "/report": (answers.JSON, answers.report()),
    "/resource": (answers.JSON, RESOURCE),
}
# What says how a connection goes on, and differs.
OF_THE_CONNECTION = {"connection", "keep-alive"}
# Seconds that no machine is too busy for.
LONG = 500


def skip_without(words: str) -> None:
    for package in PEERS[words].split():
        if not importlib.util.find_spec(package):
            pytest.skip(f"{package} is not installed")


@contextmanager
def started(words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a peer, and give its process and its port."""
    name, *more = words.split()
    command = [sys.executable, "-m", f"stormy_demo.peers.{name}"]
    if name.endswith(".js"):
        if not (node := shutil.which("node")):
            pytest.skip("node is not installed")
        command = [node, f"stormy_demo/peers/{name}"]
    command += ["--port=0", *more]
    packages = PEERS.get(words, "").split()
    with quick_start.Popen(
        command,
        knows=None if "gevent" in packages else [MODULES.get(one, one) for one in packages],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        children: list[psutil.Process] = []
        try:
            said = process.stdout.readline()
            found = re.fullmatch(
                r"listening on http://127\.0\.0\.1:(\d+) \(Ctrl-C stops\)\n", said
            )
            assert found, said
            children = psutil.Process(process.pid).children(recursive=True)
            yield process, int(found[1])
            _, alive = psutil.wait_procs(children, timeout=LONG)
            assert not alive
        finally:
            process.kill()
            for child in children:
                if child.is_running():
                    child.kill()


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with started("upstream --delay=1") as (process, found):
        yield found
        process.kill()


def answer_of(
    connection: http.client.HTTPConnection, path: str, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    connection.request(method, path)
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, headers, answer.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("words", PEERS)
def test_all_answer_the_same_on_one_connection_and_end_when_told(
    words: str, upstream: int
) -> None:
    skip_without(words)
    with started(f"{words} --upstream=http://{LOCALHOST}:{upstream}") as (process, there):
        connection = http.client.HTTPConnection(LOCALHOST, there, timeout=LONG)
        with closing(connection):
            answer_of(connection, "/")
            kept = connection.sock
            for path, (kind, body) in PAGES.items():
                if words.endswith(".js") and path == "/report":
                    continue
                status, headers, told = answer_of(connection, path)
                assert (status, told, headers["content-type"]) == (200, body, kind)
                assert headers["content-length"] == str(len(body))
                assert parsedate_to_datetime(headers["date"])
                assert headers["server"]
                rest = headers.keys() - OF_THE_CONNECTION
                assert rest == {"content-length", "content-type", "date", "server"}
            assert answer_of(connection, "/nowhere")[0] == 404
            assert answer_of(connection, "/", "HEAD")[::2] in ((200, b""), (405, b""))
            status, headers, _ = answer_of(connection, "/resource", "POST")
            assert status == 405
            # Tornado's own handlers do not say it.
            assert "GET" in headers.get("allow", "GET")
            assert answer_of(connection, "/")[::2] == (200, b"Hello, world")
            assert connection.sock is kept
        process.send_signal(signal.SIGINT if words in ("tornado_app",) else signal.SIGTERM)
        assert process.wait(LONG) == 0


# -- a backend that fails ----------------------------------------------------------------------

NOTHING, CLOSES = "Content-Length: 0", "Connection: close"
BAD: list[tuple[Says, Told]] = [
    (lines("HTTP/1.1 500 Oops", NOTHING, CLOSES), (502, "The backend answered 500.")),
    (lines("HTTP/1.1 404 No", NOTHING, CLOSES), (502, "The backend answered 404.")),
    (says("no JSON", CLOSES), MISUNDERSTOOD),
    (says('["profile"]', CLOSES), MISUNDERSTOOD),
    (says("null", CLOSES), MISUNDERSTOOD),
    (says("{}", CLOSES), MISUNDERSTOOD),
    (lines(OK, "Content-Length: 99", CLOSES, body='{"profile": '), UNREACHED),
    (lines("SMTP hello"), UNREACHED),
    (lines(""), UNREACHED),
    (Says(b""), UNREACHED),
    (Says(b"", "reset"), UNREACHED),
]


@pytest.mark.parametrize("words", PEERS)
def test_whatever_the_backend_does_is_a_sentence_and_the_next_is_served(words: str) -> None:
    skip_without(words)
    ada = {answers.USER: BAD[0][0]}
    with ExitStack() as stack:
        backend = ExitStack()
        url = stack.enter_context(backend).enter_context(bad_backend(ada))
        process, there = stack.enter_context(started(f"{words} --upstream={url}"))
        asking = http.client.HTTPConnection(LOCALHOST, there, timeout=LONG)
        stack.callback(asking.close)
        for data, told in BAD:
            ada[answers.USER] = data
            assert error_of(asking) == told, data
        ada[answers.USER] = says('{"profile": "Ada Lovelace"}', CLOSES)
        assert answer_of(asking, "/resource")[::2] == (200, RESOURCE)
        backend.close()
        assert error_of(asking) == UNREACHED
        assert answer_of(asking, "/")[0] == 200
        # Not killed: Granian's worker would stay.
        process.terminate()


def error_of(asking: http.client.HTTPConnection) -> Told:
    status, headers, body = answer_of(asking, "/resource")
    assert headers["content-type"] == answers.TEXT
    return status, body.decode()


def test_node_without_a_backend_says_so_and_lives_on() -> None:
    with started("node_http.js") as (process, there):
        with closing(http.client.HTTPConnection(LOCALHOST, there, timeout=LONG)) as asking:
            assert error_of(asking) == UNREACHED
            assert answer_of(asking, "/")[0] == 200
        process.kill()


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_client_gives_up_after_a_while_and_knows_what_is_no_address(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in NEEDS.get(client, []):
        pytest.importorskip(package)
    monkeypatch.setattr(starting, "PATIENCE", 0.1)
    with bad_backend({answers.USER: Says(b"", "keep")}) as url:
        async with CLIENTS[client]() as ask:
            with pytest.raises(TooLate):
                await ask(url + answers.QUESTION)
            for wrong in (answers.QUESTION, "nonsense://here"):
                with pytest.raises(NoAnswer):
                    await ask(wrong)


def test_who_asks_with_requests_gives_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "PATIENCE", 0.1)
    with bad_backend({answers.USER: Says(b"", "keep")}) as url, wide_session() as session:
        with pytest.raises(TooLate):
            ask(session, url + answers.QUESTION)
        with pytest.raises(NoAnswer):
            ask(session, answers.QUESTION)


def test_a_report_has_everybody_who_is_there_and_the_most_points_first() -> None:
    people = json.loads(answers.report())["people"]
    assert {one["place"] for one in people} == {"here"}
    assert len(people) == sum(one["place"] == "here" for one in answers.PEOPLE)
    assert [one["rank"] for one in people] == list(range(1, len(people) + 1))
    assert [one["score"] for one in people] == sorted(
        (one["score"] for one in people), reverse=True
    )


# -- the backend -------------------------------------------------------------------------------


def seconds_until_all_are_answered(port: int, number: int) -> float:
    """Ask as many questions at once, each on a connection of its own."""
    connections = [
        http.client.HTTPConnection(LOCALHOST, port, timeout=LONG) for _ in [0] * number
    ]
    start = time.perf_counter()
    for connection in connections:
        connection.request("GET", answers.QUESTION)
    for connection in connections:
        assert connection.getresponse().read() == b'{"profile": "Ada Lovelace"}'
        connection.close()
    return time.perf_counter() - start


def test_the_backend_answers_one_after_another_if_it_is_told_to() -> None:
    with started("upstream --delay=30 --one-at-a-time") as (process, there):
        # Not longer than: a busy machine takes as long as it likes.
        assert seconds_until_all_are_answered(there, 5) >= 5 * 0.03
        process.kill()


def test_the_backend_keeps_a_connection_unless_it_is_to_be_closed(upstream: int) -> None:
    with closing(socket.create_connection((LOCALHOST, upstream), timeout=LONG)) as sock:
        sock.sendall(b"GET /profile HTTP/1.1\r\nHost: b\r\n")
        sock.sendall(b"\r\n")
        assert sock.recv(1000).endswith(b'"Ada Lovelace"}')
        sock.sendall(b"GET /profile HTTP/1.1\r\nHost: b\r\nconnection: close\r\n\r\n")
        assert sock.recv(1000).endswith(b'"Ada Lovelace"}')
        assert sock.recv(1000) == b""


def test_a_client_that_leaves_before_its_answer_harms_nobody() -> None:
    with started("upstream --delay=20") as (process, there):
        for _ in range(3):
            with closing(http.client.HTTPConnection(LOCALHOST, there)) as one:
                one.request("GET", "/profile")
        seconds_until_all_are_answered(there, 3)
        process.kill()


def test_who_asks_and_asks_and_does_not_read_is_left() -> None:
    ours, theirs = socket.socketpair()
    with socket.create_server((LOCALHOST, 0)) as listener, closing(theirs):
        backend = Upstream(listener, 0.0, one_at_a_time=False)
        ours.setblocking(False)
        greedy = Connection(backend, ours)
        backend.selector.register(ours, selectors.EVENT_READ, greedy.ready)
        # Until there is no more room.
        with pytest.raises(BlockingIOError):
            while True:
                ours.send(bytes(65536))
        greedy.send(backend.answer())
        assert ours.fileno() < 0
        backend.close()


# -- how they are started ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["tornado_app", "granian_server", "gevent_wsgi", "node_http.js"]
)
def test_a_peer_ends_with_whoever_started_it(words: str) -> None:
    skip_without(words)
    with started(f"{words} --end-with-stdin") as (process, _):
        assert process.stdin
        process.stdin.close()
        assert process.wait(LONG) == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("--port=99999", 2, "'99999' is no port: they go from 0 to 65535\n"),
        ("--port=http", 2, "'http' is no port: they go from 0 to 65535\n"),
        ("--nonsense", 2, "Unknown option '--nonsense'"),
        ("--port=TAKEN", 1, "cannot listen on port TAKEN: EADDRINUSE; --port=0 picks"),
    ],
)
def test_node_says_what_it_does_not_understand(words: str, status: int, said: str) -> None:
    if not (node := shutil.which("node")):
        pytest.skip("node is not installed")
    with socket.create_server((LOCALHOST, 0)) as taken:
        number = str(taken.getsockname()[1])
        command = [node, "stormy_demo/peers/node_http.js", words.replace("TAKEN", number)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(said.replace("TAKEN", number))


def test_what_is_missing_is_said_where_the_address_would_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    need("tornado")
    with pytest.raises(SystemExit) as ended:
        need("tornado", "no_such_package")
    assert ended.value.code == 1
    assert capsys.readouterr().out == "no_such_package is not installed\n"


@pytest.mark.parametrize(
    ("read", "words"),
    [(port, "65536"), (port, "-1"), (port, "http"), (one_or_more, "0"), (one_or_more, "2.5")],
)
def test_a_number_that_is_none_is_refused(read: type[int], words: str) -> None:
    with pytest.raises(ArgumentTypeError, match=re.escape(words)):
        read(words)


@pytest.mark.parametrize("words", ["-1", "nan", "60001", "soon"])
def test_a_delay_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        milliseconds(words)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server((LOCALHOST, 0)) as taken:
        command = [sys.executable, "-m", "stormy_demo.peers.upstream"]
        command.append(f"--port={taken.getsockname()[1]}")
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"cannot listen on port \d+: .*; --port=0 picks another\n", done.stderr)
