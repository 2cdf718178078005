"""Let libraries that use requests wait for Tornado's loop, without a change to them.

A requests session sends through adapters, and anybody may mount another one. The adapters here
wait with `tornalet.wait`, so that the loop does other work meanwhile. Where nobody can wait
like that they block, as requests does: silently on a thread that runs no loop, since nobody is
held up there; with a warning on a loop's own thread outside a greenlet, since everybody is.
"""

from __future__ import annotations

import copy
import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from .engines.clients.adapter import CLIENTS, TornadoAdapter
from .engines.outside import Outside, checked
from .engines.sockets.adapter import SocketsAdapter, make_plain, make_polite, watch

EVERYWHERE = ("http://", "https://")
ENGINES = (*CLIENTS, "sockets")
DEFAULT_ENGINE = "sockets"

Ours = TornadoAdapter | SocketsAdapter


def setup_session(
    session: requests.Session | None = None,
    mounts: str | Iterable[str] | None = None,
    engine: str | None = None,
    *,
    outside: Outside = "warn",
) -> ExitStack:
    """Make sessions wait politely when their caller runs underneath `@tornalet`.

    Of a session that is changed alone, a copy is as it was before if its adapters are not ours.

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
        ValueError: there is no such engine, or `outside` is something else.
        ImportError: the curl engine needs pycurl, which is not installed.
    """
    setup = _Setup(mounts, engine or DEFAULT_ENGINE, outside)
    undo = ExitStack()
    with _lock:
        if session is not None:
            for prefix, below, ours in setup.change(session):
                _below.setdefault(ours, {})[prefix] = below
                undo.callback(_uncover, session, prefix, ours)
        else:
            _for_all.append(setup)
            _install()
    undo.callback(_end, setup)
    return undo


# At the beginning of which addresses, over what, and what.
_Mounted = tuple[str, BaseAdapter | None, HTTPAdapter]


class _Setup:
    """What one call of `setup_session` asks for, and what it has changed so far."""

    def __init__(
        self, mounts: str | Iterable[str] | None, engine: str, outside: Outside
    ) -> None:
        if engine not in ENGINES:
            raise ValueError(f"the engine is one of {', '.join(ENGINES)}, not {engine!r}")
        if isinstance(mounts, str):
            mounts = [mounts]
        self.prefixes = EVERYWHERE if mounts is None else tuple(mounts)
        self.engine = engine
        self.outside = checked(outside)
        # An engine that cannot be had shall be known of here, and not with the first session.
        self.make_ours()
        self.ours = weakref.WeakSet[Ours]()
        self.theirs = weakref.WeakSet[HTTPAdapter]()

    def change(self, session: requests.Session) -> list[_Mounted]:
        """Change a session, and return what was mounted where, and over what."""
        mounted = list[_Mounted]()
        for prefix, adapter in session.adapters.items():
            if self.is_for(prefix) and not _is_as_made(adapter):
                self.adopt(adapter)
        for prefix in self.prefixes:
            below = session.adapters.get(prefix)
            serving = below or _serving(session, prefix)
            if below in self.ours:
                continue
            if below is None and isinstance(serving, HTTPAdapter) and not _is_as_made(serving):
                # Its settings are for these addresses too.
                session.mount(prefix, copied := copy.copy(serving))
                self.adopt(copied)
                mounted.append((prefix, None, copied))
            elif below is None or _is_as_made(below) or isinstance(below, Ours):
                # One for each: a session closes all that are mounted, each once.
                ours = self.make_ours()
                self.ours.add(ours)
                mounted.append((prefix, below, ours))
                _put(session, prefix, ours)
        return mounted

    def make_ours(self) -> Ours:
        if self.engine == "sockets":
            return SocketsAdapter(self.outside)
        return TornadoAdapter(self.engine, self.outside)

    def is_for(self, prefix: str) -> bool:
        """Return whether all addresses that begin like this are to be changed."""
        return any(prefix.lower().startswith(each.lower()) for each in self.prefixes)

    def adopt(self, adapter: BaseAdapter) -> None:
        """Change an adapter of somebody else's, which has settings that must stay."""
        if not isinstance(adapter, HTTPAdapter) or isinstance(adapter, Ours):
            return
        if adapter not in self.theirs:
            self.theirs.add(adapter)
            make_plain(adapter)
            self.apply(adapter)
            _setups.setdefault(adapter, []).append(self)

    def apply(self, adapter: HTTPAdapter) -> None:
        if self.engine == "sockets":
            make_polite(adapter, self.outside)
        else:
            why = f'the engine "{self.engine}" leaves the adapters of others alone'
            watch(adapter, self.outside, f'{why}, "sockets" does not')

    def end(self) -> None:
        """Let everything that was changed do what it did before."""
        for ours in self.ours:
            ours.undo()
        for adapter in self.theirs:
            make_plain(adapter)
            setups = _setups[adapter]
            setups.remove(self)
            if setups:
                setups[-1].apply(adapter)
            else:
                del _setups[adapter]
        self.theirs.clear()


_for_all: list[_Setup] = []
# The setups that an adapter of somebody else's was changed by; the last one counts.
_setups = weakref.WeakKeyDictionary[HTTPAdapter, list[_Setup]]()
# What an adapter of ours was mounted over.
_below = weakref.WeakKeyDictionary[HTTPAdapter, dict[str, BaseAdapter | None]]()
# Some libraries put a class of their own in the place of `requests.Session`.
_Session: Any = next(c for c in requests.Session.__mro__ if c.__module__ == "requests.sessions")
_methods = weakref.WeakSet[Any]()
# Sessions are made on any thread.
_lock = threading.RLock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    # The thread that had it may not be there.
    os.register_at_fork(after_in_child=_renew_lock)


def _install() -> None:
    for name, around in AROUND.items():
        original = getattr(_Session, name)
        if original not in _methods:
            setattr(_Session, name, _instead_of(original, around))


def _uninstall() -> None:
    for name in AROUND:
        ours = getattr(_Session, name)
        # If somebody has replaced it since, it stays below theirs, and does nothing.
        if ours in _methods:
            setattr(_Session, name, ours.__wrapped__)


def _instead_of(original: Any, around: Callable[..., None]) -> Any:
    @functools.wraps(original)
    def method(self: requests.Session, *args: Any, **kwargs: Any) -> None:
        around(original, self, *args, **kwargs)

    _methods.add(method)
    return method


def _make(original: Any, session: requests.Session, *args: Any, **kwargs: Any) -> None:
    original(session, *args, **kwargs)
    _change(session)


def _mount(original: Any, session: requests.Session, prefix: str, adapter: BaseAdapter) -> None:
    """A library mounts what it likes, and does so after its session was made."""
    made = session.adapters.keys() >= set(EVERYWHERE)
    original(session, prefix, adapter)
    with _lock:
        for setup in _for_all:
            if made and setup.is_for(prefix):
                setup.adopt(adapter)


def _copy(original: Any, session: requests.Session, state: Any) -> None:
    """The adapters of a copy are copies, and know of no setup."""
    original(session, state)
    _change(session)


def _change(session: requests.Session) -> None:
    with _lock:
        for setup in _for_all:
            setup.change(session)


AROUND: dict[str, Callable[..., None]] = {
    "__init__": _make,
    "mount": _mount,
    "__setstate__": _copy,
}


def _end(setup: _Setup) -> None:
    with _lock:
        if setup in _for_all:
            _for_all.remove(setup)
        if not _for_all:
            _uninstall()
        setup.end()


def _uncover(session: requests.Session, prefix: str, mounted: HTTPAdapter) -> None:
    if session.adapters.get(prefix) is not mounted:
        return
    # Setups may be undone in any order: those below that are undone by now are passed over.
    below: BaseAdapter | None = _below[mounted].get(prefix)
    while isinstance(below, Ours) and below.undone:
        below = _below.get(below, {}).get(prefix)
    if below:
        _put(session, prefix, below)
    else:
        del session.adapters[prefix]


def _put(session: requests.Session, prefix: str, adapter: BaseAdapter) -> None:
    if prefix in session.adapters:
        # To mount it would move it, under the eyes of a thread that is looking for its adapter.
        session.adapters[prefix] = adapter
    else:
        session.mount(prefix, adapter)


def _serving(session: requests.Session, prefix: str) -> BaseAdapter | None:
    """Return the adapter for addresses that begin like this, if there is one."""
    try:
        return session.get_adapter(prefix)
    except requests.exceptions.InvalidSchema:
        return None


def _is_as_made(adapter: BaseAdapter) -> bool:
    """Return whether it is what a new session has, with no settings that could be lost."""
    if type(adapter) is not HTTPAdapter or vars(adapter).keys() != vars(_NEW).keys():
        return False
    manager, new = adapter.poolmanager, _NEW.poolmanager
    return (
        vars(adapter.max_retries) == vars(_NEW.max_retries)
        and all(vars(adapter)[name] == vars(_NEW)[name] for name in POOL_SETTINGS)
        and type(manager) is type(new)
        and manager.connection_pool_kw == new.connection_pool_kw
        and manager.pool_classes_by_scheme == new.pool_classes_by_scheme
    )


POOL_SETTINGS = ("config", "_pool_connections", "_pool_maxsize", "_pool_block")
_NEW = HTTPAdapter()
