"""Sockets that yield to the event loop where a plain socket would hold the thread.

To those who use them they are blocking sockets with a timeout, as urllib3 expects. Their
descriptors never block: what cannot be had at once is waited for with `tornalet.wait`, so that
the loop goes on meanwhile. Outside of a greenlet they hold the thread, as a plain socket does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

import tornalet

from ..outside import Outside, report_blocking, warned
from .readiness import closing, wait_on_the_loop, wait_on_the_thread

T = TypeVar("T")

IN_PROGRESS = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR}
if hasattr(errno, "WSAEWOULDBLOCK"):
    IN_PROGRESS.add(errno.WSAEWOULDBLOCK)


class Polite(socket.socket):
    """What sockets with and without TLS have in common: a timeout, and the waiting."""

    outside: Outside = "warn"
    _seconds: float | None = None
    # Whether a warning was given that the request blocks the loop; reading its body is a part
    # of it.
    _warned = False

    def settimeout(self, value: float | None) -> None:
        """Remember how long to wait, in seconds; None is for ever."""
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._seconds = value

    def gettimeout(self) -> float | None:
        """Return how long to wait, in seconds; None is for ever."""
        return self._seconds

    def setblocking(self, flag: bool) -> None:
        """Wait for ever, or not at all."""
        self._seconds = None if flag else 0.0

    def _real_close(self, *args: Any) -> None:
        closing(self.fileno())
        super()._real_close(*args)  # type: ignore[misc]

    def _never_block(self) -> None:
        # The descriptor itself; the timeout that callers see is kept in `_seconds`.
        socket.socket.setblocking(self, False)

    def _deadline(self) -> float | None:
        return None if self._seconds is None else time.monotonic() + self._seconds

    def _wait(
        self, for_writing: bool, deadline: float | None, too_late: str = "timed out"
    ) -> None:
        seconds = None
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0 or self._seconds == 0:
                raise TimeoutError(too_late)
        fd = self.fileno()
        if fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if tornalet.can_wait():
            self._warned = False
            ready = wait_on_the_loop(fd, for_writing, seconds)
        else:
            if self.outside == "raise" or not (self._warned or warned.get()):
                report_blocking(self.outside, "waiting for an answer")
            self._warned = True
            ready = wait_on_the_thread(fd, for_writing, seconds)
        # On a loop that is late the timer may come before an event that was in time.
        if not ready and not wait_on_the_thread(fd, for_writing, 0):
            raise TimeoutError(too_late)


class PoliteSocket(Polite):
    """A TCP socket that yields to the loop."""

    def __init__(
        self,
        family: int,
        kind: int,
        protocol: int,
        outside: Outside,
        fileno: int | None = None,
    ) -> None:
        """Make a socket that is not yet connected, or one around a descriptor."""
        super().__init__(family, kind, protocol, fileno)
        self._seconds = socket.getdefaulttimeout()
        self.outside = outside
        self._never_block()

    @classmethod
    def take_over(cls, plain: socket.socket, outside: Outside) -> PoliteSocket:
        """Take the descriptor of a plain socket over, which is closed to others then."""
        seconds = plain.gettimeout()
        polite = cls(plain.family, plain.type, plain.proto, outside, plain.detach())
        polite.settimeout(seconds)
        return polite

    def connect(self, address: Any) -> None:
        """Connect, see `socket.socket.connect`."""
        error = self.connect_ex(address)
        if error in IN_PROGRESS:
            self._wait(True, self._deadline())
            error = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))

    def recv_into(self, *args: Any) -> int:
        """Receive into a buffer, see `socket.socket.recv_into`."""
        return self._once_ready(super().recv_into, False, *args)

    def recv(self, *args: Any) -> bytes:
        """Receive, see `socket.socket.recv`."""
        return self._once_ready(super().recv, False, *args)

    def send(self, *args: Any) -> int:
        """Send some of it, see `socket.socket.send`."""
        return self._once_ready(super().send, True, *args)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it; the timeout is for the whole, as with `socket.socket.sendall`."""
        deadline = self._deadline()
        view = memoryview(data).cast("B")
        while view:
            try:
                view = view[super().send(view, flags) :]
                continue
            except BlockingIOError:
                pass
            self._wait(True, deadline)

    def _once_ready(self, call: Callable[..., T], for_writing: bool, *args: Any) -> T:
        deadline = self._deadline()
        while True:
            # To wait in an `except` would show a time-out as one error on top of another.
            with contextlib.suppress(BlockingIOError):
                return call(*args)
            self._wait(for_writing, deadline)
