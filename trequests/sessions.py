"""`setup_session`: one session, or all that are made from then on, wait for Tornado's loop.

A requests session sends through adapters, and anybody may mount another one. The adapters here
wait with `tornalet.wait`, so that the loop does other work meanwhile. Where nobody can wait
like that they block, as requests does: silently on a thread that runs no loop, since nobody is
held up there; with a warning on a loop's own thread outside a greenlet, since everybody is.

What is changed on a session is in `setups`. Here is the choice of sessions: to reach those that
are made later, methods of `requests.Session` are wrapped for as long as such a setup lasts.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.auth import HTTPDigestAuth

from .engines.outside import Outside
from .per_greenlet import digest_per_greenlet
from .setups import EVERYWHERE, Setup

DEFAULT_ENGINE = "sockets"


def setup_session(
    session: requests.Session | None = None,
    mounts: str | Iterable[str] | None = None,
    engine: str | None = None,
    *,
    outside: Outside = "warn",
) -> ExitStack:
    """Make sessions wait politely when their caller runs underneath `@tornalet`.

    A copy of a session that was changed alone has this package's adapters too; its copies of
    other adapters are as those were before.

    Args:
        session: the session to change; if it is left out, `requests.get()` and its like and
            every session made from now on.
        mounts: the beginning of the addresses to do this for, or several, such as
            "https://api.example.org/"; all addresses if it is left out.
        engine: "sockets" (if it is left out), see `SocketsAdapter`; or "simple" or "curl", see
            `TornadoAdapter`.
        outside: what to do when a request is made on the loop's own thread, but not underneath
            `@tornalet`: "warn" and block, "raise", or "block" and say nothing.

    Returns:
        A context manager that undoes the setup at the end of its block. Without a block, it
        stays until the `close()` of what was returned.

    Raises:
        TypeError: `session` is no session, or `mounts` are no texts.
        ValueError: there is no such engine, `outside` is something else, or `mounts` have no
            scheme with "://" behind it.
        ImportError: the curl engine needs pycurl, which is not installed.
    """
    if session is not None and not isinstance(session, _Session):
        raise TypeError(f"session is a requests.Session, or left out for all: not {session!r}")
    setup = Setup(mounts, DEFAULT_ENGINE if engine is None else engine, outside)
    with _lock, ExitStack() as undo:
        undo.callback(_end, setup)
        _setups.append(setup)
        _wrap(HTTPDigestAuth, "init_per_thread_state", digest_per_greenlet)
        if session is not None:
            for mounted in setup.changes(session):
                mounted.remember()
                undo.callback(mounted.undo)
        else:
            _for_all.append(setup)
            _install()
        # Only if nothing was raised: a session is changed whole, or not at all.
        return undo.pop_all()


# Those that have not ended, and of these the ones that are for all sessions.
_setups: list[Setup] = []
_for_all: list[Setup] = []
# requests' own class, even if a library has put another one in the place of `requests.Session`.
_Session: Any = next(c for c in requests.Session.__mro__ if c.__module__ == "requests.sessions")
# The wrappers made here, to tell them from those of others.
_wrappers = weakref.WeakSet[Any]()
# Sessions are made on any thread.
_lock = threading.RLock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    # The thread that held it is not there in a forked process.
    os.register_at_fork(after_in_child=_renew_lock)


def _install() -> None:
    for name, around in AROUND.items():
        _wrap(_Session, name, around)


def _uninstall() -> None:
    for name in AROUND:
        _unwrap(_Session, name)


def _wrap(owner: type, name: str, around: Callable[..., None]) -> None:
    original = getattr(owner, name)
    if original not in _wrappers:
        setattr(owner, name, _wrapper(original, around))


def _unwrap(owner: type, name: str) -> None:
    method = getattr(owner, name)
    # If somebody has replaced it since, ours stays below theirs, and changes nothing.
    if method in _wrappers:
        setattr(owner, name, method.__wrapped__)


def _wrapper(original: Any, around: Callable[..., None]) -> Any:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        around(original, self, *args, **kwargs)

    _wrappers.add(method)
    return method


def _init(original: Any, session: requests.Session, *args: Any, **kwargs: Any) -> None:
    original(session, *args, **kwargs)
    _change(session)


def _mount(original: Any, session: requests.Session, prefix: str, adapter: BaseAdapter) -> None:
    """Change what a library mounts after its session was made."""
    # The session mounts its own adapters while it is made, and `_init` comes after that.
    made = session.adapters.keys() >= set(EVERYWHERE)
    original(session, prefix, adapter)
    with _lock:
        for setup in _for_all:
            if made and setup.is_for(prefix):
                setup.adopt(adapter)


def _setstate(original: Any, session: requests.Session, state: Any) -> None:
    """Change the copy of a session, whose adapters are copies that know of no setup."""
    original(session, state)
    _change(session)


def _change(session: requests.Session) -> None:
    with _lock:
        for setup in _for_all:
            for _ in setup.changes(session):
                # Such a session keeps what is mounted on it.
                pass


AROUND: dict[str, Callable[..., None]] = {
    "__init__": _init,
    "mount": _mount,
    "__setstate__": _setstate,
}


def _end(setup: Setup) -> None:
    with _lock:
        if setup in _for_all:
            _for_all.remove(setup)
        if not _for_all:
            _uninstall()
        if setup in _setups:
            _setups.remove(setup)
        if not _setups:
            _unwrap(HTTPDigestAuth, "init_per_thread_state")
        setup.end()
