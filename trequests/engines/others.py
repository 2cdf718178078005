"""Connections that are not of this package: a thread sends what is to be sent with them.

They block, and cannot be changed: those that a recorder puts in the place of urllib3's, those
for unix sockets, those of an adapter of somebody's own. The thread waits for the headers. What
is left of the answer is read when it has come.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from typing import Any

import tornalet

from .outside import Outside, report_blocking, warned
from .replaced import talks_plainly
from .sockets.polite import PoliteSocket
from .sockets.readiness import wait_on_the_loop
from .threads import wait_for_thread


def off_the_loop(send: Callable[[], Any], outside: Outside, what: str) -> Any:
    """Send a request that knows blocking sockets only, on a thread if a greenlet can wait.

    Args:
        send: sends it, and returns urllib3's response.
        outside: what to do where nobody can wait, see `setup_session`.
        what: what then blocks the loop.
    """
    if not tornalet.can_wait():
        if outside == "raise" or not warned.get():
            report_blocking(outside, what)
        return send()
    response = wait_for_thread(send, if_too_late=_close)
    _read_politely(response, outside)
    return response


def _close(response: Any) -> None:
    # A recorder's answers may have less than urllib3's.
    getattr(response, "close", bool)()


def _read_politely(response: Any, outside: Outside) -> None:
    """Let the rest of an answer come without holding the loop, if it comes from a socket."""
    file = getattr(getattr(response, "_fp", None), "fp", None)
    raw = getattr(file, "raw", None)
    sock = getattr(raw, "_sock", None)
    if isinstance(raw, socket.SocketIO) and not isinstance(sock, PoliteSocket):
        raw._sock = Waiting(sock, outside)  # type: ignore[attr-defined]


class Waiting:
    """A blocking socket, for whoever sends a request through it, or reads an answer from it.

    Args:
        sock: the socket, or what somebody has in its place.
        outside: what to do where nobody can wait, see `setup_session`.
    """

    def __init__(self, sock: Any, outside: Outside) -> None:
        self._sock = sock
        self._outside = outside
        # One warning is for all of an answer.
        self._warned = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, *args: Any, **options: Any) -> Any:
        """Return a file to read or write with, see `socket.socket.makefile`."""
        file = self._sock.makefile(*args, **options)
        raw = getattr(file, "raw", None)
        if isinstance(raw, socket.SocketIO):
            raw._sock = self  # type: ignore[attr-defined]
        return file

    def send(self, data: Any, *flags: int) -> int:
        """Send some of it, see `socket.socket.send`."""
        sent: int = self._off_the_loop(lambda: self._sock.send(data, *flags))
        return sent

    def sendall(self, data: Any, *flags: int) -> None:
        """Send all of it, see `socket.socket.sendall`."""
        self._off_the_loop(lambda: self._sock.sendall(data, *flags))

    def recv(self, *args: int) -> bytes:
        """Receive, see `socket.socket.recv`."""
        data: bytes = self._off_the_loop(lambda: self._sock.recv(*args))
        return data

    def _off_the_loop(self, call: Callable[[], Any]) -> Any:
        if tornalet.can_wait():
            return wait_for_thread(call)
        self._tell()
        return call()

    def _tell(self) -> None:
        if self._outside == "raise" or not (self._warned or warned.get()):
            report_blocking(self._outside, "waiting for an answer")
        self._warned = True

    def recv_into(self, buffer: Any) -> int:
        """Receive into a buffer, see `socket.socket.recv_into`."""
        sock = self._sock
        if not tornalet.can_wait():
            self._tell()
        elif not talks_plainly(type(sock)):
            # What comes first may be half of what can be decrypted. It does not get the buffer:
            # nobody waits for it any more after a cancellation.
            data = wait_for_thread(lambda: sock.recv(len(buffer)))
            io.BytesIO(data).readinto(buffer)
            return len(data)
        elif not wait_on_the_loop(sock.fileno(), False, sock.gettimeout()):
            raise TimeoutError("timed out")
        return int(sock.recv_into(buffer))
