"""Twisted's reactor, its loop, on the loop that runs here, for as long as a block lasts.

    with shared_reactor() as reactor:
        reactor.listenTCP(8889, factory, interface="127.0.0.1")

Twisted's own `run` and `stop` would start and stop the loop, on which others run too.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakSet

from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

try:
    import twisted.internet
    from twisted.internet.abstract import FileDescriptor
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor
    from twisted.internet.base import DelayedCall
    from twisted.internet.error import ReactorAlreadyInstalledError
    from twisted.internet.main import installReactor
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.logger import ILogObserver, STDLibLogObserver, globalLogBeginner
    from twisted.python.failure import Failure
except ImportError as error:
    raise ImportError(
        f"This needs Twisted, and {error.name} cannot be imported: pip install twisted",
        name=error.name,
    ) from error

# Where Python code finds the reactor that is given to nobody by hand.
NAME = "twisted.internet.reactor"

_logs_to = list[str]()


class SharedReactor(AsyncioSelectorReactor):
    """A reactor on a loop that others use too: when it stops, the loop runs on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin on a loop."""
        self._seen = WeakSet[FileDescriptor]()
        super().__init__(loop)

    def addReader(self, reader: Any) -> None:
        """Watch what can be read, and remember it."""
        if isinstance(reader, FileDescriptor):
            self._seen.add(reader)
        super().addReader(reader)

    def removeAll(self) -> list[Any]:
        """Take out all that is open, since it is to be closed."""
        watched = super().removeAll()
        # A connection that is paused is not watched, and open all the same.
        paused = {*self._seen}.difference(watched, self._internalReaders)
        return [*watched, *(each for each in paused if each.fileno() != -1)]

    def crash(self) -> None:
        """Do what is done when the reactor stops, but for stopping the loop."""
        PosixReactorBase.crash(self)

    def end(self) -> None:
        """Stop at once: do what is due, close what is open, and drop what is for later."""
        # What closes a port or a connection is due in the next turn, before and after.
        self.runUntilCurrent()
        self.fireSystemEvent("shutdown")
        self.runUntilCurrent()
        for call in self.getDelayedCalls():
            cast(DelayedCall, call).cancel()
        if self._timerHandle:
            self._timerHandle.cancel()
        # Else nothing would be due for who has it still, as a thread that has just ended.
        self._scheduledAt = None
        # Twisted expects that the process ends now, and leaves them open.
        for reader in list(self._internalReaders):
            self._removeInternalReader(reader)
            reader.connectionLost(Failure(ConnectionAbortedError()))


@contextmanager
def shared_reactor() -> Iterator[SharedReactor]:
    """Run a reactor on the current loop.

    Inside of the block it is also what `from twisted.internet import reactor` gives; a module
    that says this at its top keeps the reactor of the first block for ever. What Twisted logs
    goes to Tornado's log, as "tornado.twisted"; where somebody has begun a log of Twisted's
    before, to that as well.

    At the end its ports and connections are closed at once. Two things are not mended:

    - The loop is held until its threads end. One that calls back then, as
      `blockingCallFromThread` does, never ends: await what was given to threads.
    - A trigger before or during "shutdown" that returns a Deferred for something slow keeps the
      rest from being closed. That of `port.stopListening` is not slow.

    Yields:
        The reactor, which is running.

    Raises:
        RuntimeError: there is a reactor already, of another block, or since somebody has
            imported `twisted.internet.reactor` outside of one.
    """
    _log_to("tornado.twisted")
    # On Windows it is Tornado's: asyncio's own does not watch sockets as Twisted wants it.
    loop = cast(AsyncIOLoop, IOLoop.current()).selector_loop
    reactor = SharedReactor(loop)
    try:
        try:
            installReactor(reactor)
        except ReactorAlreadyInstalledError:
            raise RuntimeError(
                "there is a reactor already: leave its block first, and import "
                "twisted.internet.reactor inside of a block only; if it was imported "
                "elsewhere, start Python anew"
            ) from None
        try:
            reactor.startRunning(installSignalHandlers=False)
            yield reactor
        finally:
            del sys.modules[NAME]
            del twisted.internet.reactor
    finally:
        reactor.end()


def _log_to(name: str) -> None:
    """Send what Twisted logs to a logger of Python's; it can be told so once in a process."""
    if _logs_to:
        return
    _logs_to.append(name)
    observer, show = cast(ILogObserver, STDLibLogObserver(name)), warnings.showwarning
    globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=False)
    # Twisted takes Python's warnings, too.
    warnings.showwarning = show
