"""Sockets that yield to the event loop where a plain socket would hold the thread.

To those who use them they are blocking sockets with a timeout, as urllib3 expects. Their
descriptors never block: what cannot be had at once is waited for with `tornalet.wait`, so that
the loop goes on meanwhile. Outside of a greenlet they hold the thread, as a plain socket does.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

import tornalet

from ..outside import Outside, report_blocking, warned
from ..turns import give_way
from .readiness import closing, wait_on_the_loop, wait_on_the_thread

T = TypeVar("T")

IN_PROGRESS = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR}
if hasattr(errno, "WSAEWOULDBLOCK"):
    IN_PROGRESS.add(errno.WSAEWOULDBLOCK)
# Not every system has them.
DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
WAIT_FOR_ALL = getattr(socket, "MSG_WAITALL", 0)
# Seconds. A plain socket waits whole milliseconds, rounded up.
SHORTEST_WAIT = 0.001
# After so many calls that had nothing to wait for, others on the loop have a turn.
IN_A_ROW = 32
# Bytes. Python's own files read eight thousand at once, and a long answer in many pieces.
READ_AT_ONCE = 65536


class PoliteSocket(socket.socket):
    """A TCP socket that yields to the loop.

    Args:
        family: see `socket.socket`.
        kind: its type.
        protocol: see `socket.socket`.
        fileno: a descriptor to take over, if it shall be no new one.
        outside: what to do outside of a greenlet, see `setup_session`.
    """

    outside: Outside = "warn"
    _seconds: float | None = None
    # Whether a warning was given that the request blocks the loop; reading its body is a part
    # of it.
    _warned = False
    # Calls since the loop went on.
    _in_a_row = 0
    # When it last did, in seconds of `time.monotonic`.
    _since = 0.0
    # Whether something was sent since something was received: the answer cannot be there yet.
    _waits_first = False

    def __init__(
        self,
        family: int = -1,
        kind: int = -1,
        protocol: int = -1,
        fileno: int | None = None,
        outside: Outside = "warn",
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
        polite = cls(plain.family, plain.type, plain.proto, plain.detach(), outside)
        polite.settimeout(seconds)
        return polite

    # -- its timeout -----------------------------------------------------------------------

    def settimeout(self, value: float | None) -> None:
        """Remember how long to wait, in seconds; None is for ever, and 0 not at all.

        Raises:
            ValueError: it is negative, or not a number.
            OverflowError: it is longer than a plain socket can wait.
        """
        is_open = self.fileno() >= 0
        if value is None and is_open:
            self._seconds = None
        elif value != self._seconds or not is_open:
            # Which checks it, and rounds it; the descriptor may block then.
            super().settimeout(value)
            self._seconds = super().gettimeout()
            self._never_block()

    def gettimeout(self) -> float | None:
        """Return how long to wait, in seconds; None is for ever."""
        return self._seconds

    @property
    def timeout(self) -> float | None:
        """How long to wait, see `gettimeout`."""
        return self._seconds

    def setblocking(self, flag: bool) -> None:
        """Wait for ever, or not at all."""
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        """Return whether it waits at all."""
        return self._seconds != 0

    def _never_block(self) -> None:
        # The descriptor itself; the timeout that callers see is kept in `_seconds`.
        socket.socket.setblocking(self, False)

    def makefile(self, mode: str = "r", buffering: int | None = None, **options: Any) -> Any:
        """Return a file to read or write with, see `socket.socket.makefile`."""
        if mode == "rb" and buffering is None:
            buffering = READ_AT_ONCE
        return super().makefile(mode, buffering, **options)  # type: ignore[call-overload]

    # -- its descriptor --------------------------------------------------------------------

    def dup(self) -> PoliteSocket:
        """Return another one for the same connection, see `socket.socket.dup`."""
        other = super().dup()
        other.outside = self.outside
        return other

    def detach(self) -> int:
        """Give the descriptor away, see `socket.socket.detach`; it blocks if this one does."""
        fd = self.fileno()
        if fd >= 0:
            closing(fd)
            socket.socket.settimeout(self, self._seconds)
        return super().detach()

    def _real_close(self, *args: Any) -> None:
        closing(self.fileno())
        super()._real_close(*args)  # type: ignore[misc]

    # -- what may have to wait -------------------------------------------------------------

    def connect(self, address: Any) -> None:
        """Connect, see `socket.socket.connect`."""
        error = self._connect(address)
        if error:
            raise OSError(error, os.strerror(error))

    def connect_ex(self, address: Any) -> int:
        """Connect, and return an error number or 0, see `socket.socket.connect_ex`."""
        try:
            return self._connect(address)
        except TimeoutError:
            return errno.EWOULDBLOCK

    def _connect(self, address: Any) -> int:
        error = super().connect_ex(address)
        if error in IN_PROGRESS and self._seconds != 0:
            self._wait(True, self._deadline())
            error = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return error

    def accept(self) -> tuple[PoliteSocket, Any]:
        """Take a connection that came, see `socket.socket.accept`."""
        accept: Callable[[], tuple[int, Any]] = self._accept  # type: ignore[attr-defined]
        fd, address = self._once_ready(accept, False, 0)
        return PoliteSocket(self.family, self.type, self.proto, fd, self.outside), address

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive, see `socket.socket.recv`."""
        if self._waits_for_all(flags):
            buffer = bytearray(bufsize)
            return bytes(buffer[: self.recv_into(buffer, bufsize, flags)])
        return self._once_ready(super().recv, False, flags, bufsize, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive into a buffer, see `socket.socket.recv_into`."""
        receive = super().recv_into
        if not self._waits_for_all(flags):
            return self._once_ready(receive, False, flags, buffer, nbytes, flags)
        with memoryview(buffer) as whole, whole.cast("B") as view:
            came, wanted = 0, nbytes or len(view)
            while came < wanted:
                left = wanted - came
                new = self._once_ready(receive, False, flags, view[came:], left, flags)
                if not new:
                    break
                came += new
            return came

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """Receive, and tell from whom, see `socket.socket.recvfrom`."""
        return self._once_ready(super().recvfrom, False, flags, bufsize, flags)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """Receive into a buffer, see `socket.socket.recvfrom_into`."""
        return self._once_ready(super().recvfrom_into, False, flags, buffer, nbytes, flags)

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /) -> Any:
        """Receive, see `socket.socket.recvmsg`."""
        return self._once_ready(super().recvmsg, False, flags, bufsize, ancbufsize, flags)

    def recvmsg_into(self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /) -> Any:
        """Receive into buffers, see `socket.socket.recvmsg_into`."""
        # A second try needs them again, and they may be an iterator.
        buffers = list(buffers)
        return self._once_ready(super().recvmsg_into, False, flags, buffers, ancbufsize, flags)

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send some of it, see `socket.socket.send`."""
        return self._once_ready(super().send, True, flags, data, flags)

    def sendto(self, data: Any, *flags_and_address: Any) -> int:
        """Send some of it to an address, see `socket.socket.sendto`."""
        flags = flags_and_address[0] if len(flags_and_address) == 2 else 0
        return self._once_ready(super().sendto, True, flags, data, *flags_and_address)

    def sendmsg(
        self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None, /
    ) -> int:
        """Send some of it, see `socket.socket.sendmsg`."""
        buffers, ancdata = list(buffers), list(ancdata)
        return self._once_ready(super().sendmsg, True, flags, buffers, ancdata, flags, address)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all of it; the timeout is for the whole, as with `socket.socket.sendall`."""
        deadline = self._deadline()
        self._waits_first = True
        if type(data) is bytes:
            # Most requests go into the system's buffer whole.
            self._take_turns(flags)
            try:
                sent = super().send(data, flags)
            except BlockingIOError:
                # Below it is tried again, and waited for.
                sent = 0
            if sent == len(data):
                return
        else:
            sent = 0
        with memoryview(data) as whole, whole.cast("B") as view:
            while sent < len(view):
                self._take_turns(flags)
                try:
                    sent += super().send(view[sent:], flags)
                    continue
                except BlockingIOError:
                    if not self._may_wait(flags):
                        raise
                self._wait(True, deadline)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file, see `socket.socket.sendfile`."""
        # The system's own way waits by itself, and holds the thread.
        return self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined, no-any-return]

    # -- the waiting -----------------------------------------------------------------------

    def _once_ready(
        self, call: Callable[..., T], for_writing: bool, flags: int, *args: Any
    ) -> T:
        self._take_turns(flags)
        deadline = self._deadline()
        if not for_writing:
            self._wait_if_just_sent(flags, deadline)
        while True:
            try:
                return call(*args)
            except BlockingIOError:
                if not self._may_wait(flags):
                    raise
            # To wait in the `except` would show a time-out as one error on top of another.
            self._wait(for_writing, deadline)

    def _wait_if_just_sent(self, flags: int, deadline: float | None) -> None:
        # The answer cannot be there yet: to try it would be in vain, and cost an exception.
        if self._waits_first:
            self._waits_first = False
            if self._may_wait(flags) and tornalet.can_wait():
                self._wait(False, deadline)

    def _take_turns(self, flags: int = 0) -> None:
        # Another side that is always ahead would hold the loop for ever.
        self._in_a_row += 1
        if self._in_a_row > IN_A_ROW and self._may_wait(flags) and tornalet.can_wait():
            self._in_a_row = 0
            tornalet.wait(asyncio.sleep(0))
            self._since = time.monotonic()

    def give_way(self) -> None:
        """Let others on the loop have a turn, if they had none for a while."""
        if self._may_wait(0):
            self._since = give_way(self._since)

    def _may_wait(self, flags: int) -> bool:
        # A plain socket with a timeout waits before it asks the system, which sees the flag.
        return self._seconds != 0 and not (self._seconds is None and flags & DONT_WAIT)

    def _waits_for_all(self, flags: int) -> bool:
        # The system does, for a plain socket without a timeout.
        return (
            self._seconds is None
            and flags & WAIT_FOR_ALL != 0
            and not flags & (DONT_WAIT | socket.MSG_PEEK)
        )

    def _deadline(self) -> float | None:
        if self._seconds is None:
            return None
        return time.monotonic() + max(self._seconds, SHORTEST_WAIT)

    def _wait(
        self, for_writing: bool, deadline: float | None, too_late: str = "timed out"
    ) -> None:
        seconds = None
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise TimeoutError(too_late)
        fd = self.fileno()
        if fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if tornalet.can_wait():
            self._in_a_row = 0
            self._warned = False
            ready = wait_on_the_loop(fd, for_writing, seconds)
            self._since = time.monotonic()
        else:
            if self.outside == "raise" or not (self._warned or warned.get()):
                report_blocking(self.outside, "waiting for an answer")
            self._warned = True
            ready = wait_on_the_thread(fd, for_writing, seconds)
        # On a loop that is late the timer may come before an event that was in time.
        if not ready and not wait_on_the_thread(fd, for_writing, 0):
            raise TimeoutError(too_late)
