"""A polite socket is, to those who use it, a plain one: it blocks, or has a timeout.

A plain socket is the measure. Each of these calls is made on one, on a polite one on a thread
without a loop, and on a polite one in a greenlet; all three must give the same. What comes from
the other side comes when the loop has gone on: a call that held the loop would get nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import errno
import io
import os
import pickle
import select
import socket
import ssl
import struct
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from benchmarks import _faults
from tornalet import run
from trequests.engines.per_loop import PerLoop
from trequests.engines.sockets import polite, readiness
from trequests.engines.sockets.polite import PoliteSocket
from trequests.engines.sockets.tls import PoliteContext, PoliteTLSSocket

pytestmark = pytest.mark.filterwarnings("error")

# What is called with a socket, and what the other side does meanwhile, on a thread.
Call = Callable[[Any], Any]
Other = Callable[[Any, threading.Event], None]

LARGE = bytes(range(256)) * 40_000  # more than lies between two sockets
A_MOMENT = 0.02  # seconds, after which nothing comes
LONG = 500.0  # seconds


def pair() -> tuple[socket.socket, socket.socket]:
    """Two sockets that are connected, over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = socket.create_connection(server.getsockname())
        there, _ = server.accept()
    return here, there


def outcome(call: Call, sock: Any) -> Any:
    """What a call gives, or what it raises."""
    try:
        return call(sock)
    except Exception as error:
        number = error.errno if type(error) is OSError else None
        return type(error), number


class Way:
    """Makes a call on one kind of socket, while the other side does something."""

    def __init__(self, name: str, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None) -> None:
        self.name = name
        self.tls = tls

    def __call__(self, call: Call, other: Other | None = None) -> Any:
        here, there = pair()
        go_on, done = threading.Event(), threading.Event()

        def subject() -> Any:
            sock = self.made(here)
            with contextlib.closing(sock):
                if self.name == "in a greenlet":
                    asyncio.get_running_loop().call_soon(go_on.set)
                else:
                    go_on.set()
                return outcome(call, sock)

        def meanwhile() -> None:
            with contextlib.suppress(OSError), self.served(there) as sock:
                if other:
                    other(sock, go_on)
                done.wait(LONG)

        thread = threading.Thread(target=meanwhile)
        thread.start()
        try:
            if self.name == "in a greenlet":
                return asyncio.run(run(subject))
            return subject()
        finally:
            go_on.set()
            done.set()
            thread.join()
            there.close()

    def made(self, plain: socket.socket) -> Any:
        plain.settimeout(LONG)
        sock: Any = plain
        if self.name != "stock":
            sock = PoliteSocket.take_over(plain, "block")
        if self.tls:
            context: Any = self.tls[0]
            if self.name != "stock":
                context = PoliteContext(context, "block")
            sock = context.wrap_socket(sock, server_hostname="127.0.0.1")
        return sock

    @contextlib.contextmanager
    def served(self, plain: socket.socket) -> Iterator[socket.socket]:
        if self.tls:
            plain.settimeout(LONG)
            plain = self.tls[1].wrap_socket(plain, server_side=True)
        with plain:
            yield plain


WAYS = ("stock", "on a thread", "in a greenlet")


def same(call: Call, other: Other | None = None, tls: Any = None) -> Any:
    """Make a call on each kind of socket, and return what all of them give."""
    stock, *polite = (Way(name, tls)(call, other) for name in WAYS)
    with as_elsewhere():
        polite += [Way(name, tls)(call, other) for name in WAYS[1:]]
    assert polite == [stock] * 4
    return stock


@contextlib.contextmanager
def as_elsewhere() -> Iterator[None]:
    """Wait as on systems that have neither poll nor epoll."""
    with pytest.MonkeyPatch.context() as monkey:
        monkey.delattr(select, "poll", raising=False)
        monkey.setattr(readiness, "_watches", PerLoop(readiness._Readers))
        yield


# -- what the other side does ------------------------------------------------------------------


def sends(*pieces: bytes, then: Callable[[Any], Any] | None = None) -> Other:
    def other(sock: Any, go_on: threading.Event) -> None:
        go_on.wait(LONG)
        for piece in pieces:
            sock.sendall(piece)
        if then:
            then(sock)

    return other


def hangs_up(sock: Any) -> None:
    sock.shutdown(socket.SHUT_WR)


def resets(sock: Any) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def answers_with_the_size(sock: Any, go_on: threading.Event) -> None:
    go_on.wait(LONG)
    size = 0
    while size < len(LARGE):
        size += len(sock.recv(1 << 20))
    sock.sendall(b"%9d" % size)


def waits(sock: Any, go_on: threading.Event) -> None:
    """Reads nothing."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


# -- calls -------------------------------------------------------------------------------------


def into(name: str, size: int, *args: Any) -> Call:
    """Call a method that receives into a buffer, and return the buffer too."""

    def call(sock: Any) -> Any:
        buffer = bytearray(size)
        given = iter([buffer]) if name == "recvmsg_into" else buffer
        return getattr(sock, name)(given, *args), bytes(buffer)

    return call


def method(name: str, *args: Any) -> Call:
    return lambda sock: getattr(sock, name)(*args)


RECEIVING: dict[str, Call] = {
    "recv": method("recv", 10),
    "recv_into": into("recv_into", 10),
    "recv_into so many": into("recv_into", 10, 3),
    "recvfrom": method("recvfrom", 10),
    "recvfrom_into": into("recvfrom_into", 10),
    "makefile": lambda sock: sock.makefile("rb").readline(),
}
if hasattr(socket.socket, "recvmsg"):
    RECEIVING["recvmsg"] = method("recvmsg", 10)
    RECEIVING["recvmsg_into"] = into("recvmsg_into", 10)


def all_of(send: Callable[[Any, memoryview], int]) -> Call:
    """Send all with a method that sends some, and return what the other side has counted."""

    def call(sock: Any) -> Any:
        left = memoryview(LARGE)
        while left:
            left = left[send(sock, left) :]
        return sock.recv(9)

    return call


def by_sendall(sock: Any) -> Any:
    return sock.sendall(LARGE), sock.recv(9)


def by_makefile(sock: Any) -> Any:
    with sock.makefile("wb") as file:
        file.write(LARGE)
    return sock.recv(9)


def by_sendfile(sock: Any) -> Any:
    with tempfile.TemporaryFile() as file:
        file.write(b"before" + LARGE + b"after")
        return sock.sendfile(file, 6, len(LARGE)), file.tell(), sock.recv(9)


SENDING: dict[str, Call] = {
    "send": all_of(lambda sock, data: int(sock.send(data))),
    "sendto": all_of(lambda sock, data: int(sock.sendto(data, sock.getpeername()))),
    "sendto with flags": all_of(
        lambda sock, data: int(sock.sendto(data, 0, sock.getpeername()))
    ),
    "sendall": by_sendall,
    "sendfile": by_sendfile,
    "makefile": by_makefile,
}
if hasattr(socket.socket, "sendmsg"):
    SENDING["sendmsg"] = all_of(lambda sock, data: int(sock.sendmsg([data])))


def with_timeout(seconds: float | None, call: Call) -> Call:
    def timed(sock: Any) -> Any:
        sock.settimeout(seconds)
        return call(sock)

    return timed


@pytest.mark.skipif(sys.platform == "win32", reason="a socket there has other methods")
def test_it_has_all_that_a_socket_has() -> None:
    assert set(dir(socket.socket)) <= set(dir(PoliteSocket))
    own = {name for name in vars(PoliteSocket) if not name.startswith("_")}
    assert own - {"outside", "take_over", "give_way"} <= set(dir(socket.socket))


@pytest.mark.parametrize("seconds", [None, LONG])
@pytest.mark.parametrize("name", RECEIVING)
def test_what_comes_is_waited_for(name: str, seconds: float | None) -> None:
    came = same(with_timeout(seconds, RECEIVING[name]), sends(b"rain\n"))
    assert "rai" in repr(came)


@pytest.mark.parametrize("name", RECEIVING)
def test_the_end_is_nothing(name: str) -> None:
    assert "rain" not in repr(same(RECEIVING[name], sends(then=hangs_up)))


def test_a_reset_is_an_error() -> None:
    assert same(method("recv", 10), sends(then=resets))[0] is ConnectionResetError


@pytest.mark.parametrize("seconds", [0, 0.0, A_MOMENT])
@pytest.mark.parametrize("name", RECEIVING)
def test_what_does_not_come(name: str, seconds: float) -> None:
    raised = same(with_timeout(seconds, RECEIVING[name]))
    if name != "makefile":
        assert raised[0] is (TimeoutError if seconds else BlockingIOError)


@pytest.mark.parametrize("seconds", [None, LONG])
@pytest.mark.parametrize("name", SENDING)
def test_what_is_sent_may_have_to_wait(name: str, seconds: float | None) -> None:
    given = same(with_timeout(seconds, SENDING[name]), answers_with_the_size)
    assert b"%9d" % len(LARGE) in (given if isinstance(given, tuple) else (given,))


@pytest.mark.parametrize("seconds", [0, A_MOMENT])
@pytest.mark.parametrize("name", SENDING)
def test_what_nobody_takes(name: str, seconds: float) -> None:
    raised = same(with_timeout(seconds, SENDING[name]), waits)
    if name not in ("sendfile", "makefile"):
        assert raised[0] is (TimeoutError if seconds else BlockingIOError)


@pytest.mark.parametrize(
    "call",
    [
        lambda sock: (sock.recv(2, socket.MSG_PEEK), sock.recv(9)),
        lambda sock: (sock.recv(9, socket.MSG_PEEK), sock.recvfrom(9, socket.MSG_PEEK)[0]),
        into("recv_into", 9, 9, socket.MSG_PEEK),
        into("recvfrom_into", 9, 9, socket.MSG_PEEK),
    ],
)
def test_a_look_at_what_came_leaves_it_there(call: Call) -> None:
    assert "rain" in repr(same(call, sends(b"rain")))


@pytest.mark.skipif(not hasattr(socket, "MSG_DONTWAIT"), reason="this system has no such flag")
@pytest.mark.parametrize("seconds", [None, 0, A_MOMENT])
@pytest.mark.parametrize(
    "call",
    [
        method("recv", 9, getattr(socket, "MSG_DONTWAIT", 0)),
        into("recv_into", 9, 9, getattr(socket, "MSG_DONTWAIT", 0)),
        method("recvfrom", 9, getattr(socket, "MSG_DONTWAIT", 0)),
        into("recvfrom_into", 9, 9, getattr(socket, "MSG_DONTWAIT", 0)),
        method("recvmsg", 9, 0, getattr(socket, "MSG_DONTWAIT", 0)),
        into("recvmsg_into", 9, 0, getattr(socket, "MSG_DONTWAIT", 0)),
        all_of(lambda sock, data: int(sock.send(data, getattr(socket, "MSG_DONTWAIT", 0)))),
        all_of(
            lambda sock, data: int(
                sock.sendto(data, getattr(socket, "MSG_DONTWAIT", 0), sock.getpeername())
            )
        ),
        all_of(
            lambda sock, data: int(sock.sendmsg([data], [], getattr(socket, "MSG_DONTWAIT", 0)))
        ),
        method("sendall", LARGE, getattr(socket, "MSG_DONTWAIT", 0)),
    ],
)
def test_a_flag_says_not_to_wait(call: Call, seconds: float | None) -> None:
    raised = same(with_timeout(seconds, call), waits)
    assert raised[0] is (TimeoutError if seconds else BlockingIOError)


@pytest.mark.skipif(not hasattr(socket, "MSG_WAITALL"), reason="this system has no such flag")
@pytest.mark.parametrize(
    "call",
    [
        method("recv", 10, getattr(socket, "MSG_WAITALL", 0)),
        into("recv_into", 10, 10, getattr(socket, "MSG_WAITALL", 0)),
        into("recv_into", 10, 8, getattr(socket, "MSG_WAITALL", 0)),
        into("recv_into", 10, 0, getattr(socket, "MSG_WAITALL", 0)),
    ],
)
@pytest.mark.parametrize("pieces", [(b"rain", b"two", b"three"), (b"rain",)])
def test_a_flag_says_to_wait_for_all(call: Call, pieces: tuple[bytes, ...]) -> None:
    other = sends(*pieces, then=hangs_up)
    assert "rain" in repr(same(with_timeout(None, call), other))


def test_the_timeout_is_for_all_that_is_sent() -> None:
    """Some of it is taken again and again, and all of it would take too long."""

    def takes_a_little(sock: Any, go_on: threading.Event) -> None:
        go_on.wait(LONG)
        for _ in range(50):
            sock.recv(4096)
            threading.Event().wait(A_MOMENT / 10)

    call = with_timeout(A_MOMENT, by_sendall)
    assert same(call, takes_a_little) == (TimeoutError, None)


def test_what_another_thread_closes_at_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    def recv(sock: Any, *args: Any) -> bytes:
        sock.close()
        raise BlockingIOError

    here, there = pair()
    with PoliteSocket.take_over(here, "block") as sock, there:
        monkeypatch.setattr(socket.socket, "recv", recv, raising=False)
        assert outcome(method("recv", 9), sock) == (OSError, errno.EBADF)


def test_what_is_not_there_after_the_timeout_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def recv(sock: Any, *args: Any) -> bytes:
        threading.Event().wait(2 * A_MOMENT)
        raise BlockingIOError

    here, there = pair()
    with PoliteSocket.take_over(here, "block") as sock, there:
        sock.settimeout(A_MOMENT)
        monkeypatch.setattr(socket.socket, "recv", recv, raising=False)
        assert outcome(method("recv", 9), sock) == (TimeoutError, None)


async def test_what_comes_at_the_moment_when_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A loop that is late may look at its timers before it looks at what came."""

    def late(*args: Any) -> bool:
        there.sendall(b"rain")
        return False

    here, there = pair()
    with PoliteSocket.take_over(here, "raise") as sock, there:
        sock.settimeout(LONG)
        monkeypatch.setattr(polite, "wait_on_the_loop", late)
        assert await run(sock.recv, 9) == b"rain"


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("call", [method("recv", 9), method("sendall", LARGE)])
async def test_what_is_closed_is_waited_for_no_longer(call: Call, elsewhere: bool) -> None:
    with as_elsewhere() if elsewhere else contextlib.nullcontext():
        here, there = pair()
        with PoliteSocket.take_over(here, "raise") as sock, there:
            waiting = asyncio.create_task(run(outcome, call, sock))
            await asyncio.sleep(0)
            sock.close()
            async with asyncio.timeout(LONG):
                assert await waiting == (OSError, errno.EBADF)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="else nothing is armed")
async def test_what_is_closed_while_it_is_watched_ends_all_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has something to read, and cannot be watched for room to write any more."""

    def failing(watch: Any, fd: int) -> None:
        raise OSError(errno.EBADF, "closed")

    here, there = pair()
    with PoliteSocket.take_over(here, "raise") as sock, there:
        sending = asyncio.create_task(run(outcome, method("sendall", LARGE), sock))
        reading = asyncio.create_task(run(outcome, method("recv", 9), sock))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        monkeypatch.setattr(readiness._Epoll, "arm", failing)
        there.sendall(b"rain")
        async with asyncio.timeout(LONG):
            assert await reading == b"rain"
            assert await sending == (OSError, errno.EBADF)


# -- its timeout -------------------------------------------------------------------------------


def as_it_waits(sock: Any) -> Any:
    return sock.gettimeout(), sock.timeout, sock.getblocking()


@pytest.mark.parametrize(
    "seconds",
    [
        None, 0, 0.0, -0.0, 5, 0.1, 1e-12, True, 3_000_000, 1e9,
        1e10, float("inf"), sys.maxsize, 10**400, -1, -1e-9, float("nan"), "5", b"5", [5],
    ],
    ids=repr,
)  # fmt: skip
def test_a_timeout_is_what_the_standard_library_takes_for_one(seconds: Any) -> None:
    def call(sock: Any) -> Any:
        return outcome(method("settimeout", seconds), sock), *as_it_waits(sock)

    same(call)


@pytest.mark.parametrize("flag", [True, False, 1, 0])
def test_it_can_be_told_to_block_or_not(flag: Any) -> None:
    def call(sock: Any) -> Any:
        sock.setblocking(flag)
        return as_it_waits(sock)

    same(call)


def test_a_new_one_has_the_timeout_that_new_ones_have() -> None:
    before = socket.getdefaulttimeout()
    try:
        for seconds in (None, 0.0, 7.0):
            socket.setdefaulttimeout(seconds)
            with socket.socket() as stock, PoliteSocket() as polite:
                assert as_it_waits(polite) == as_it_waits(stock)
    finally:
        socket.setdefaulttimeout(before)


def test_the_longest_timeouts_are_waited_with() -> None:
    for seconds in (2_147_483.647, 3_000_000, 1e9):
        assert same(with_timeout(seconds, method("recv", 9)), sends(b"rain")) == b"rain"


# -- its descriptor ----------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "get_blocking"), reason="this system tells nobody")
@pytest.mark.parametrize("seconds", [None, 0, 5])
def test_what_is_given_away_is_as_it_was(seconds: float | None) -> None:
    def call(sock: Any) -> Any:
        sock.settimeout(seconds)
        fd = sock.detach()
        try:
            return fd >= 0, os.get_blocking(fd), sock.fileno(), outcome(method("detach"), sock)
        finally:
            socket.close(fd)

    assert same(call)[0] is True


@pytest.mark.parametrize("seconds", [None, LONG])
def test_a_duplicate_has_the_same_connection(seconds: float | None) -> None:
    def call(sock: Any) -> Any:
        sock.settimeout(seconds)
        with sock.dup() as other:
            assert type(other) is type(sock)
            different = other.fileno() != sock.fileno()
            sock.close()
            return different, as_it_waits(other), other.recv(9), other.sendall(b"x")

    assert same(call, sends(b"rain"))[2] == b"rain"


async def test_a_duplicate_does_outside_what_the_first_does() -> None:
    here, there = pair()
    with (
        PoliteSocket.take_over(here, "raise") as sock,
        there,
        sock.dup() as other,
        pytest.raises(RuntimeError, match="blocks the event loop"),
    ):
        other.recv(9)


@pytest.mark.skipif(sys.platform != "linux", reason="a backlog is full elsewhere, or never")
async def test_a_number_that_is_used_again_is_not_woken_by_the_one_before() -> None:
    """The duplicate keeps the connection open, and the system goes on watching it."""

    def plain() -> str:
        here, there = pair()
        first = PoliteSocket.take_over(here, "raise")
        first.settimeout(A_MOMENT)
        with pytest.raises(TimeoutError):
            first.sendall(LARGE)
        number = first.fileno()
        duplicate = first.dup()
        first.close()
        second = PoliteSocket(socket.AF_INET, socket.SOCK_STREAM, outside="raise")
        assert second.fileno() == number
        with there, duplicate, second, _faults.full_house() as url:
            # There is room in the first one now, which must not look like a connection.
            while not select.select([], [duplicate], [], 0)[1]:
                there.recv(65536)
            host, port = url.removeprefix("http://").rstrip("/").split(":")
            second.settimeout(A_MOMENT)
            with pytest.raises(TimeoutError):
                second.connect((host, int(port)))
        return "fine"

    assert await run(plain) == "fine"


@pytest.mark.parametrize(
    "call",
    [
        method("fileno"),
        method("detach"),
        method("dup"),
        method("recv", 9),
        method("send", b"x"),
        method("sendall", b"x"),
        method("settimeout", 5),
        method("settimeout", None),
        method("setblocking", False),
        method("getpeername"),
        method("shutdown", socket.SHUT_RDWR),
        method("close"),
        as_it_waits,
    ],
)
def test_after_it_was_closed(call: Call) -> None:
    def closed(sock: Any) -> Any:
        with sock as itself:
            assert itself is sock
        return outcome(call, sock)

    same(closed)


@pytest.mark.parametrize(
    "call",
    [
        lambda sock: (sock.family, sock.type, sock.proto),
        method("get_inheritable"),
        lambda sock: (sock.set_inheritable(True), sock.get_inheritable()),
        lambda sock: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
        lambda sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        lambda sock: sock.getpeername()[0],
        lambda sock: sock.getsockname()[0],
        pickle.dumps,
        copy.copy,
        lambda sock: repr(sock).partition(" fd=")[2].partition(",")[2].partition("laddr")[0],
        lambda sock: (sock.close(), "[closed]" in repr(sock))[1],
        lambda sock: (sock.shutdown(socket.SHUT_WR), sock.recv(9)),
        lambda sock: (sock.shutdown(socket.SHUT_WR), outcome(method("send", b"x"), sock)),
        lambda sock: sock.sendall(b""),
        lambda sock: sock.sendall("text"),
        lambda sock: sock.connect(sock.getpeername()),
        lambda sock: sock.sendfile(io.BytesIO(b"x" * 10), 4, 3),
        lambda sock: sock.sendfile(io.StringIO("x")),
        lambda sock: (sock.settimeout(0), sock.sendfile(io.BytesIO(b"x"))),
        method("recv", -1),
        method("recv_into", bytearray(4), 9),
        into("recv_into", 4, 9, getattr(socket, "MSG_WAITALL", 0)),
    ],
)  # fmt: skip
def test_all_the_rest(call: Call) -> None:
    same(call, sends(b"rain", then=hangs_up))


# -- to connect, and to be connected to --------------------------------------------------------


def connecting(name: str, seconds: float | None, address: Any, how: str) -> Any:
    def code() -> Any:
        sock = socket.socket() if how == "stock" else PoliteSocket(outside="block")
        with sock:
            sock.settimeout(seconds)
            return outcome(method(name, address), sock)

    return asyncio.run(run(code)) if how == "in a greenlet" else code()


@pytest.mark.parametrize("name", ["connect", "connect_ex"])
@pytest.mark.parametrize("seconds", [None, LONG])
def test_to_connect(name: str, seconds: float | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for how in WAYS:
            assert not connecting(name, seconds, server.getsockname(), how)


@pytest.mark.parametrize("name", ["connect", "connect_ex"])
@pytest.mark.parametrize("seconds", [None, LONG])
def test_to_connect_where_nobody_is(name: str, seconds: float | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    stock, *polite = (connecting(name, seconds, address, how) for how in WAYS)
    assert polite == [stock] * 2
    assert stock


@pytest.mark.skipif(sys.platform != "linux", reason="a backlog is full elsewhere, or never")
@pytest.mark.parametrize("name", ["connect", "connect_ex"])
@pytest.mark.parametrize("seconds", [0, A_MOMENT])
def test_to_connect_where_nobody_is_let_in(name: str, seconds: float) -> None:
    with _faults.full_house() as url:
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        stock, *polite = (connecting(name, seconds, (host, int(port)), how) for how in WAYS)
    assert polite == [stock] * 2
    assert stock


def accepting(seconds: float | None, how: str, comes: bool) -> Any:
    def code() -> Any:
        sock = socket.socket() if how == "stock" else PoliteSocket(outside="block")
        with sock, socket.socket() as client:
            sock.bind(("127.0.0.1", 0))
            sock.listen()
            sock.settimeout(seconds)
            address = sock.getsockname()
            if not comes:
                return outcome(method("accept"), sock)
            if how == "in a greenlet":
                asyncio.get_running_loop().call_soon(client.connect, address)
            else:
                client.connect(address)
            accepted, who = sock.accept()
            with accepted:
                assert who == client.getsockname()
                client.sendall(b"rain")
                return as_it_waits(accepted), accepted.recv(9)

    return asyncio.run(run(code)) if how == "in a greenlet" else code()


@pytest.mark.parametrize("seconds", [None, LONG])
def test_to_be_connected_to(seconds: float | None) -> None:
    stock, *polite = (accepting(seconds, how, comes=True) for how in WAYS)
    assert polite == [stock] * 2


@pytest.mark.parametrize("seconds", [0, A_MOMENT])
def test_when_nobody_comes(seconds: float) -> None:
    stock, *polite = (accepting(seconds, how, comes=False) for how in WAYS)
    assert polite == [stock] * 2


# -- with TLS ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A context for each side."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return client, server


def until_the_end(sock: Any) -> bytes:
    came = b""
    while piece := sock.recv(9):
        came += piece
    return came


@pytest.mark.parametrize("seconds", [None, LONG])
@pytest.mark.parametrize(
    "call",
    [
        method("recv", 10),
        method("read", 10),
        into("recv_into", 10),
        into("recv_into", 10, 3),
        into("recv_into", 10, 0),
        lambda sock: (sock.read(1), sock.pending(), sock.read(9), sock.pending()),
        lambda sock: sock.makefile("rb").readline(),
        method("recv"),
    ],
)
def test_tls_what_comes_is_waited_for(call: Call, seconds: float | None, tls: Any) -> None:
    assert "b'r" in repr(same(with_timeout(seconds, call), sends(b"rain\n"), tls))


@pytest.mark.parametrize("seconds", [0, A_MOMENT])
@pytest.mark.parametrize(
    "call", [method("recv", 10), method("read", 10), into("recv_into", 10), method("unwrap")]
)
def test_tls_what_does_not_come(call: Call, seconds: float, tls: Any) -> None:
    def nothing(sock: Any, go_on: threading.Event) -> None:
        # A socket below TLS that is not read from answers no end of TLS either.
        socket.socket.recv(sock, 1, socket.MSG_PEEK)
        ended.wait(LONG)

    def ends(sock: Any) -> Any:
        try:
            return with_timeout(seconds, call)(sock)
        finally:
            ended.set()

    ended = threading.Event()
    raised = same(ends, nothing, tls)
    assert raised[0] is (TimeoutError if seconds else ssl.SSLWantReadError)


@pytest.mark.parametrize("seconds", [None, LONG])
@pytest.mark.parametrize(
    "call",
    [
        all_of(lambda sock, data: int(sock.send(data))),
        all_of(lambda sock, data: int(sock.write(data))),
        by_sendall,
        by_makefile,
        by_sendfile,
    ],
)
def test_tls_what_is_sent_may_have_to_wait(call: Call, seconds: float | None, tls: Any) -> None:
    given = same(with_timeout(seconds, call), answers_with_the_size, tls)
    assert b"%9d" % len(LARGE) in (given if isinstance(given, tuple) else (given,))


@pytest.mark.parametrize("seconds", [0, A_MOMENT])
@pytest.mark.parametrize(
    "call",
    [
        all_of(lambda sock, data: int(sock.send(data))),
        all_of(lambda sock, data: int(sock.write(data))),
        by_sendall,
    ],
)
def test_tls_what_nobody_takes(call: Call, seconds: float, tls: Any) -> None:
    raised = same(with_timeout(seconds, call), waits, tls)
    assert raised[0] is (TimeoutError if seconds else ssl.SSLWantWriteError)


def test_tls_ends_and_the_connection_goes_on(tls: Any) -> None:
    def call(sock: Any) -> Any:
        below = sock.unwrap()
        below.sendall(b"bare")
        came = below.recv(9)
        return came, below.recv(9), sock.version(), outcome(method("read", 1), sock)

    def other(sock: Any, go_on: threading.Event) -> None:
        below = sock.unwrap()
        below.recv(9)
        go_on.wait(LONG)
        below.sendall(b"as well")
        below.shutdown(socket.SHUT_WR)

    assert same(call, other, tls)[0] == b"as well"


@pytest.mark.parametrize("seconds", [None, LONG])
@pytest.mark.parametrize("block", [True, False])
def test_tls_hands_may_be_shaken_later(block: bool, seconds: float | None, tls: Any) -> None:
    context, server = tls

    def call(sock: Any) -> Any:
        kind: Any = context if type(sock) is socket.socket else PoliteContext(context, "block")
        with kind.wrap_socket(
            sock, do_handshake_on_connect=False, server_hostname="127.0.0.1"
        ) as secure:
            secure.settimeout(seconds)
            before = secure.version()
            return before, secure.do_handshake(block=block), secure.version(), secure.recv(4)

    def other(sock: Any, go_on: threading.Event) -> None:
        go_on.wait(LONG)
        with server.wrap_socket(sock, server_side=True) as secure:
            secure.sendall(b"rain")

    assert same(call, other) == (None, None, "TLSv1.2", b"rain")


@pytest.mark.parametrize("block", [True, False])
def test_tls_hands_are_shaken_without_a_timeout_if_that_is_asked_for(
    block: bool, tls: Any
) -> None:
    context, server = tls

    def call(sock: Any) -> Any:
        kind: Any = context if type(sock) is socket.socket else PoliteContext(context, "block")
        with kind.wrap_socket(
            sock, do_handshake_on_connect=False, server_hostname="127.0.0.1"
        ) as secure:
            secure.settimeout(0)
            return outcome(method("do_handshake", block), secure), *as_it_waits(secure)

    def other(sock: Any, go_on: threading.Event) -> None:
        go_on.wait(LONG)
        with server.wrap_socket(sock, server_side=True) as secure:
            secure.recv(1)

    came = same(call, other if block else waits)
    assert came[0] == (None if block else (ssl.SSLWantReadError, None))
    assert came[1:] == (0.0, 0.0, False)


@pytest.mark.parametrize(
    "call",
    [
        method("version"),
        method("selected_alpn_protocol"),
        method("compression"),
        method("pending"),
        lambda sock: sock.cipher()[1],
        lambda sock: len(sock.shared_ciphers() or ()),
        lambda sock: sock.getpeercert()["subjectAltName"],
        lambda sock: type(sock.getpeercert(True)),
        lambda sock: sock.get_channel_binding() is not None,
        lambda sock: (sock.server_side, sock.server_hostname, sock.session_reused),
        lambda sock: type(sock.session),
        lambda sock: isinstance(sock.context, ssl.SSLContext),
        method("dup"),
        method("recvfrom", 9),
        method("recvmsg", 9),
        method("recvfrom_into", bytearray(9)),
        method("sendto", b"x", ("127.0.0.1", 9)),
        method("sendmsg", [b"x"]),
        method("recv", 9, socket.MSG_PEEK),
        method("send", b"x", socket.MSG_PEEK),
        method("sendall", b"x", socket.MSG_PEEK),
        method("connect", ("127.0.0.1", 9)),
        method("verify_client_post_handshake"),
        lambda sock: (sock.close(), outcome(method("recv", 9), sock)),
        lambda sock: (sock.close(), sock.fileno(), sock.version()),
        lambda sock: sock.sendall(b""),
        lambda sock: (sock.settimeout(0), sock.sendfile(io.BytesIO(b"x"))),
        lambda sock: (sock.shutdown(socket.SHUT_RDWR), sock.version()),
        until_the_end,
        as_it_waits,
        pickle.dumps,
    ],
)  # fmt: skip
def test_tls_all_the_rest(call: Call, tls: Any) -> None:
    same(call, sends(b"rain", then=lambda sock: sock.unwrap()), tls)


def test_tls_that_ends_without_a_word(tls: Any) -> None:
    def other(sock: Any, go_on: threading.Event) -> None:
        go_on.wait(LONG)
        socket.socket.shutdown(sock, socket.SHUT_WR)

    assert same(method("recv", 9), other, tls) == b""


def test_tls_is_as_polite_as_what_it_began_on(tls: Any) -> None:
    for name in WAYS[1:]:
        assert Way(name, tls)(type) is PoliteTLSSocket


# -- the turns of others -----------------------------------------------------------------------

MANY = 200  # calls, more than there may be in a row

always_done = pytest.mark.parametrize(
    "call",
    [method("recv", 1), into("recv_into", 1), method("send", b"x"), method("sendall", b"x")],
)


def went_on(call: Call, seconds: float, tls: Any) -> bool:
    """Make a call many times that never has to wait, and return whether the loop went on."""

    def calls(sock: Any) -> bool:
        # The rest has come with the first of it.
        sock.recv(1)
        turns = list[bool]()
        asyncio.get_running_loop().call_soon(turns.append, True)
        sock.settimeout(seconds)
        for _ in range(MANY):
            call(sock)
        return any(turns)

    return bool(Way("in a greenlet", tls)(calls, sends(bytes(2 * MANY))))


@always_done
def test_who_never_has_to_wait_lets_others_have_a_turn(call: Call, tls: Any) -> None:
    """Somebody who sends faster than it is read would hold the loop for ever."""
    for with_or_without in (tls, None):
        assert went_on(call, LONG, with_or_without)


@always_done
def test_who_does_not_want_to_wait_does_not(call: Call, tls: Any) -> None:
    for with_or_without in (tls, None):
        assert not went_on(call, 0, with_or_without)
