"""Processes that share a bound socket, and an end.

The parent binds the sockets and forks. Each child inherits them, makes a loop of its own, and
takes whoever comes when it is free. `fork_processes` starts a child that has died once more.

How do children hear that the parent is gone, which may be killed and say nothing? It holds one
end of a pipe, into which nobody writes. However the parent ends, the system closes that end,
and the children, who read the other one, read the end of the file. In the same way, by a second
pipe, the parent hears that none of its children is left.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from tornado.netutil import bind_sockets
from tornado.process import fork_processes, task_id

from loopfilm import LOCALHOST

from .draining import PATIENCE

HAS_FORK = hasattr(os, "fork")

# What a child serves: it is given its sockets, and an event that is set when it is to end.
Serve = Callable[[list[socket.socket], asyncio.Event], Coroutine[Any, Any, None]]

MOST_RESTARTS = 100  # as Tornado has it, of all children together
# Seconds that a child waits which ends alone: perhaps all were told to, and the parent is late.
# And so one that fails at once is started again no more often than that.
LEAST_LIFE = 1.0
# Seconds after which one is killed that was told to end, and has a handler that holds its loop.
TO_END = int(PATIENCE) + 10


def shared_sockets(
    port: int, processes: int, address: str = LOCALHOST, *, reuse_port: bool = False
) -> list[list[socket.socket]]:
    """Bind the sockets of all processes, before any of them is made.

    Args:
        port: where to listen; 0 lets the system pick.
        processes: how many there will be.
        address: the local address to listen on.
        reuse_port: whether each has a socket of its own at the same port, among which the
            system divides the connections (`SO_REUSEPORT`), rather than all the same one. The
            parent keeps those open, so that nobody is lost who waits at the socket of a child
            that has died: the next one has it.

    Returns:
        The sockets of each process.

    Raises:
        OSError: the port is taken, or the like.
        ValueError: this system has no `SO_REUSEPORT`.
    """
    first = bind_sockets(port, address, reuse_port=reuse_port)
    if not reuse_port:
        return [first] * processes
    bound = first[0].getsockname()[1]
    return [first] + [
        bind_sockets(bound, address, reuse_port=True) for _ in range(1, processes)
    ]


def prefork(
    serve: Serve, sockets: Sequence[list[socket.socket]], most_restarts: int = MOST_RESTARTS
) -> int:
    """Serve in as many processes as there are lists of sockets, until SIGTERM or Ctrl-C.

    Then nobody new is let in, each child ends when it has drained, and the parent after all of
    them. A child that is told alone, by SIGTERM, drains, and is replaced. A second Ctrl-C does
    not wait for the draining.

    No loop may be there, and no thread: a child would have a copy of the one that does not
    work, and none of the other.

    Args:
        serve: what each child does.
        sockets: those of each child, see `shared_sockets`.
        most_restarts: give up after so many.

    Returns:
        The exit status: 0 when it was told to end, 1 when children died too often. In a child
        it does not return.

    Raises:
        OSError: this system has no `fork`, or no room for another process.
    """
    if not HAS_FORK:
        raise OSError("this system has no fork, and a process of it cannot become two")
    # What is not written yet, each child would have too, and write.
    _write_what_was_said()
    parent = _Parent(sockets)
    before = {s: signal.signal(s, parent.let_go) for s in (signal.SIGTERM, signal.SIGINT)}
    status = 0
    try:
        try:
            fork_processes(len(sockets), most_restarts)
        except SystemExit:
            # In the parent, and in this way it says that all have ended.
            pass
        except RuntimeError:
            status = 1
        else:
            _be_a_child(serve, parent)
    finally:
        parent.let_go()
        parent.wait_for_children()
        for signum, handler in before.items():
            signal.signal(signum, handler)
    if status:
        print("processes died too often, so all of them have ended", file=sys.stderr)
    return status


class _Parent:
    """What the parent holds, and can let go.

    Attributes:
        lifeline: the end of the pipe that the children read.
        was_told: whether a signal came; in a child, before it listened to signals of its own.
    """

    def __init__(self, sockets: Sequence[list[socket.socket]]) -> None:
        self.pid = os.getpid()
        self.sockets = sockets
        self.lifeline, self.held = os.pipe()
        self.children, self.held_by_children = os.pipe()
        self.was_told = False
        self.has_let_go = False

    def let_go(self, *_: object) -> None:
        self.was_told = True
        if self.has_let_go or os.getpid() != self.pid:
            return
        self.has_let_go = True
        os.close(self.held)
        # While one process has a socket open, the system lets people in.
        for each in self.sockets:
            for one in each:
                one.close()

    def wait_for_children(self) -> None:
        # Not `os.wait`: there may be other processes than these.
        os.close(self.held_by_children)
        os.read(self.children, 1)
        os.close(self.children)
        os.close(self.lifeline)


def _be_a_child(serve: Serve, parent: _Parent) -> NoReturn:
    if parent.has_let_go:
        # All were told to end before this one began.
        os._exit(0)
    status = 1
    gone = threading.Event()
    try:
        os.close(parent.held)
        number = task_id() or 0
        for each in parent.sockets:
            for one in each:
                if one not in parent.sockets[number]:
                    one.close()
        asyncio.run(_serve_until_told(serve, parent, parent.sockets[number], gone))
        # Whoever ends alone is to be replaced.
        status = 0 if gone.wait(LEAST_LIFE) else 1
    except BaseException:
        traceback.print_exc()
        gone.wait(LEAST_LIFE)
    finally:
        # Not by way of what the parent has still to tidy up, which is the parent's.
        _write_what_was_said()
        os._exit(status)


def _write_what_was_said() -> None:
    for stream in (sys.stdout, sys.stderr):
        # There may be none, it may be closed, or nobody may read there any more.
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()


async def _serve_until_told(
    serve: Serve, parent: _Parent, sockets: list[socket.socket], gone: threading.Event
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end(*_: object) -> None:
        # A handler that holds the loop would also hold this up.
        signal.alarm(TO_END)
        # A second one has its ordinary effect.
        with suppress(RuntimeError, ValueError):
            loop.call_soon_threadsafe(stop.set)

    def end_alone(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        end()

    def hear_of_the_parent() -> None:
        os.read(parent.lifeline, 1)
        gone.set()
        end()

    # Ctrl-C comes to all; the parent's end says what there is to say.
    signal.signal(signal.SIGINT, lambda *_: signal.signal(signal.SIGINT, signal.SIG_DFL))
    signal.signal(signal.SIGTERM, end_alone)
    # A thread, since a loop that is held hears nothing.
    threading.Thread(target=hear_of_the_parent, daemon=True).start()
    if parent.was_told:
        end()
    await serve(sockets, stop)
