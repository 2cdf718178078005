"""`setup_session`: one session, or all of the process, wait for Tornado's loop.

A requests session sends through adapters, and anybody may mount another one. The adapters here
wait with `tornalet.wait`, so that the loop does other work meanwhile. Where nobody can wait
like that they block, as requests does: silently on a thread that runs no loop, since nobody is
held up there; with a warning on a loop's own thread outside a greenlet, since everybody is.

What is changed on a session is in `setups`. Here is the choice of sessions: to reach those that
are made later, methods of `requests.Session` are wrapped for as long as such a setup lasts. And
each request is looked at when it is sent: adapters come to a session on more ways than these.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import HTTPDigestAuth
from urllib3 import HTTPConnectionPool

from .engines.by_identity import ByIdentity
from .engines.outside import Outside
from .engines.unseen import under_way, urlopen
from .per_greenlet import digest_per_greenlet
from .setups import EVERYWHERE, Setup
from .wrapped import unwrap, wrap

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
            every session, older ones from their next request on.
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
        _lasting.add(setup)
        _wrap(WHILE_ANY_LASTS)
        if session is not None:
            _setups[session] = (*_setups.get(session, ()), setup)
            undo.callback(_forget, weakref.ref(session), setup)
            for mounted in setup.changes(session):
                mounted.remember()
                undo.callback(mounted.undo)
        else:
            _for_all.append(setup)
            _wrap(WHILE_FOR_ALL)
        # Only if nothing was raised: a session is changed whole, or not at all.
        return undo.pop_all()


# Those that have not ended; one for a single session goes with it. Of these the ones that are
# for all sessions.
_lasting = weakref.WeakSet[Setup]()
_for_all: list[Setup] = []
# requests' own class, even if a library has put another one in the place of `requests.Session`.
_Session: Any = next(c for c in requests.Session.__mro__ if c.__module__ == "requests.sessions")
# For a session, the setups that are for it alone. Not a variable of its own: copies would have
# them too, and to pickle it would be to pickle them.
_setups = ByIdentity[requests.Session, tuple[Setup, ...]]()
# Sessions are made on any thread.
_lock = threading.RLock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    # The thread that held it is not there in a forked process.
    os.register_at_fork(after_in_child=_renew_lock)


def _forget(reference: weakref.ref[requests.Session], setup: Setup) -> None:
    session = reference()
    if session is not None:
        own = tuple(each for each in _setups.pop(session, ()) if each is not setup)
        if own:
            _setups[session] = own


def _that_counts(session: requests.Session, url: Any) -> Setup | None:
    """Return the latest setup for a request, those for the session alone first."""
    for setups in (_setups.get(session, ()), tuple(_for_all)):
        for setup in reversed(setups):
            if setup.covers(url):
                return setup
    return None


def _send(original: Any, session: requests.Session, request: Any, **options: Any) -> Any:
    """Let whatever the request comes to know what is to be done with it."""
    setup = _that_counts(session, getattr(request, "url", None))
    token = under_way.set(setup.outside if setup else None)
    try:
        return original(session, request, **options)
    finally:
        under_way.reset(token)


def _get_adapter(
    original: Any, session: requests.Session, *args: Any, **kwargs: Any
) -> BaseAdapter:
    """Change the adapter that a request is sent with, if that was not done before."""
    # By its name or its place, as whoever has replaced the method is called.
    adapter: BaseAdapter = original(session, *args, **kwargs)
    if under_way.get() is None:
        # Somebody looks, and sends nothing.
        return adapter
    url = args[0] if args else kwargs["url"]
    setup = _that_counts(session, url)
    if setup is None:
        return adapter
    with _lock:
        return setup.meets(session, url, adapter)


def _adapter_send(
    original: Any, adapter: BaseAdapter, request: Any, *args: Any, **options: Any
) -> Any:
    """Do the same where no session has sent it, or one with a `send` of its own."""
    if under_way.get() is not None:
        return original(adapter, request, *args, **options)
    url = getattr(request, "url", None)
    setup = next((each for each in reversed(_for_all) if each.covers(url)), None)
    token = under_way.set(setup.outside if setup else None)
    try:
        return original(adapter, request, *args, **options)
    finally:
        under_way.reset(token)


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
        if _for_all:
            # Somebody may have put back meanwhile what was there before.
            _wrap(WHILE_ANY_LASTS)
        for setup in _for_all:
            for _ in setup.changes(session):
                # Such a session keeps what is mounted on it.
                pass


# What is wrapped, in which class, and what stands around it.
WHILE_FOR_ALL: dict[tuple[type, str], Callable[..., Any]] = {
    (_Session, "__init__"): _init,
    (_Session, "mount"): _mount,
    (_Session, "__setstate__"): _setstate,
}
WHILE_ANY_LASTS: dict[tuple[type, str], Callable[..., Any]] = {
    (_Session, "send"): _send,
    (_Session, "get_adapter"): _get_adapter,
    (HTTPAdapter, "send"): _adapter_send,
    (HTTPConnectionPool, "urlopen"): urlopen,
    (HTTPDigestAuth, "init_per_thread_state"): digest_per_greenlet,
}


def _wrap(methods: dict[tuple[type, str], Callable[..., Any]]) -> None:
    for (owner, name), around in methods.items():
        wrap(owner, name, around)


def _unwrap(methods: dict[tuple[type, str], Callable[..., Any]]) -> None:
    for owner, name in methods:
        unwrap(owner, name)


def _end(setup: Setup) -> None:
    with _lock:
        if setup in _for_all:
            _for_all.remove(setup)
        if not _for_all:
            _unwrap(WHILE_FOR_ALL)
        _lasting.discard(setup)
        if not _lasting:
            _unwrap(WHILE_ANY_LASTS)
        setup.end()
