"""Wait until a socket can be read or written: on the event loop, or by holding the thread."""

from __future__ import annotations

import asyncio
import contextlib
import select
from contextvars import Context
from typing import Any

from tornado.ioloop import IOLoop

import tornalet

from ..outside import loop_runs_here
from ..per_loop import PerLoop

# Milliseconds, 24 days: what the system takes.
LONGEST_POLL = 2**31 - 1


def wait_on_the_loop(fd: int, for_writing: bool, seconds: float | None) -> bool:
    """Wait, in a greenlet, until a socket is ready.

    Args:
        fd: its descriptor.
        for_writing: or else for reading.
        seconds: how long at most; None is for ever.

    Returns:
        Whether it is ready; if not, its time is over.
    """
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[bool] = loop.create_future()
    watch = _watches.of(loop)
    timer = None if seconds is None else loop.call_later(seconds, _settle, ready, False)
    try:
        watch.begin(fd, for_writing, ready)
        return tornalet.wait(ready)
    finally:
        watch.end(fd, for_writing, ready)
        if timer:
            timer.cancel()


def closing(fd: int) -> None:
    """End all waits for a socket that is about to close, on the loop of this thread."""
    if fd >= 0 and loop_runs_here():
        watch = _watches.find(asyncio.get_running_loop())
        if watch:
            watch.closing(fd)


def wait_on_the_thread(fd: int, for_writing: bool, seconds: float | None) -> bool:
    """Wait, and block this thread, until a socket is ready; see `wait_on_the_loop`."""
    if not hasattr(select, "poll"):
        writers = [fd] if for_writing else []
        # On Windows a connection that failed is an exceptional condition, and not writable.
        return any(select.select([] if for_writing else [fd], writers, writers, seconds))
    poll = select.poll()
    poll.register(fd, select.POLLOUT if for_writing else select.POLLIN)
    return bool(poll.poll(None if seconds is None else min(seconds * 1000, LONGEST_POLL)))


def _settle(ready: asyncio.Future[bool], result: bool) -> None:
    if not ready.done():
        ready.set_result(result)


class _Readers:
    """Each wait is a reader or writer of the loop."""

    def __init__(self) -> None:
        # On Windows the loop may be one without readers; Tornado then keeps another beside it.
        self.loop: Any = IOLoop.current().selector_loop  # type: ignore[attr-defined]
        self.waiting = _Waiting()

    def begin(self, fd: int, for_writing: bool, ready: asyncio.Future[bool]) -> None:
        self.waiting.begin(fd, for_writing, ready)
        add = self.loop.add_writer if for_writing else self.loop.add_reader
        add(fd, _settle, ready, True)

    def end(self, fd: int, for_writing: bool, ready: asyncio.Future[bool]) -> None:
        if self.waiting.end(fd, for_writing, ready):
            (self.loop.remove_writer if for_writing else self.loop.remove_reader)(fd)

    def close(self) -> None:
        """Do nothing: the readers went with the loop."""

    def closing(self, fd: int) -> None:
        for for_writing, remove in (
            (False, self.loop.remove_reader),
            (True, self.loop.remove_writer),
        ):
            if self.waiting.settle(fd, for_writing):
                remove(fd)


class _Epoll:
    """All waits are in one epoll, and that is the only reader of the loop.

    A socket stays in it, disarmed, from one wait to the next, and Linux takes it out when it is
    closed, on whatever thread. From the loop it would have to be taken out after each wait.
    """

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.waiting = _Waiting()
        # In an empty context: not in that of whoever happened to be the first to wait.
        Context().run(asyncio.get_running_loop().add_reader, self.epoll.fileno(), self.wake)

    def begin(self, fd: int, for_writing: bool, ready: asyncio.Future[bool]) -> None:
        self.waiting.begin(fd, for_writing, ready)
        self.arm(fd)

    def end(self, fd: int, for_writing: bool, ready: asyncio.Future[bool]) -> None:
        self.waiting.end(fd, for_writing, ready)

    def close(self) -> None:
        self.epoll.close()

    def closing(self, fd: int) -> None:
        self.waiting.settle(fd, False)
        self.waiting.settle(fd, True)
        # Linux would leave it in for as long as it has a duplicate.
        with contextlib.suppress(OSError):
            self.epoll.unregister(fd)

    def arm(self, fd: int) -> None:
        events = select.EPOLLONESHOT
        if (fd, False) in self.waiting.futures:
            events |= select.EPOLLIN | select.EPOLLRDHUP
        if (fd, True) in self.waiting.futures:
            events |= select.EPOLLOUT
        try:
            self.epoll.modify(fd, events)
        except FileNotFoundError:
            self.epoll.register(fd, events)

    def wake(self) -> None:
        for fd, events in self.epoll.poll(0):
            if events & ~select.EPOLLOUT:
                self.waiting.settle(fd, False)
            if events & ~(select.EPOLLIN | select.EPOLLRDHUP):
                self.waiting.settle(fd, True)
            if (fd, False) in self.waiting.futures or (fd, True) in self.waiting.futures:
                try:
                    self.arm(fd)
                except OSError:
                    # Another thread has closed it meanwhile.
                    self.closing(fd)


class _Waiting:
    """The futures of those who wait, for each descriptor and direction."""

    def __init__(self) -> None:
        self.futures = dict[tuple[int, bool], asyncio.Future[bool]]()

    def begin(self, fd: int, for_writing: bool, ready: asyncio.Future[bool]) -> None:
        # The number may be used again: a wait from before is for a socket that was closed.
        self.settle(fd, for_writing)
        self.futures[fd, for_writing] = ready

    def end(self, fd: int, for_writing: bool, ready: asyncio.Future[bool]) -> bool:
        mine = self.futures.get((fd, for_writing)) is ready
        if mine:
            del self.futures[fd, for_writing]
        return mine

    def settle(self, fd: int, for_writing: bool) -> bool:
        ready = self.futures.pop((fd, for_writing), None)
        if ready is not None:
            _settle(ready, True)
        return ready is not None


def _watch() -> _Readers | _Epoll:
    return _Epoll() if hasattr(select, "epoll") else _Readers()


_watches = PerLoop(_watch)
