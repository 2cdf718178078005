"""Let libraries that use requests wait for Tornado's loop, without a change to them.

A requests session sends through adapters, and anybody may mount another one. The adapters here
wait with `tornalet.wait`, so that the loop does other work meanwhile. Where nobody can wait
like that they block, as requests does: silently on a thread that runs no loop, since nobody is
held up there; with a warning on a loop's own thread outside a greenlet, since everybody is.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import requests
from requests.adapters import DEFAULT_POOLBLOCK, DEFAULT_RETRIES, BaseAdapter, HTTPAdapter

from .engines.clients import CLIENTS, TornadoAdapter
from .engines.outside import Outside, checked, tell
from .engines.sockets import SocketsAdapter, make_plain, make_polite

__all__ = ["ENGINES", "SocketsAdapter", "TornadoAdapter", "setup_session"]

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
    _setups.append(setup)
    if session is not None:
        for prefix, below, ours in setup.change(session):
            _below.setdefault(ours, {})[prefix] = below
            undo.callback(_uncover, session, prefix, ours)
    else:
        _for_all.append(setup)
        _install()
    undo.callback(_end, setup)
    return undo


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
        self.make_ours()
        self.ours = weakref.WeakSet[TornadoAdapter | SocketsAdapter]()
        self.theirs = weakref.WeakSet[HTTPAdapter]()

    def change(self, session: requests.Session) -> list[tuple[str, BaseAdapter | None, Ours]]:
        """Change a session, and return what was mounted where, and over what."""
        mounted = list[tuple[str, BaseAdapter | None, Ours]]()
        for prefix, adapter in session.adapters.items():
            if self.is_for(prefix) and not _is_as_made(adapter):
                self.adopt(adapter)
        for prefix in self.prefixes:
            below = session.adapters.get(prefix)
            if below is None or _is_as_made(below) or isinstance(below, Ours):
                # One for each: a session closes all that are mounted, each once.
                ours = self.make_ours()
                self.ours.add(ours)
                mounted.append((prefix, below, ours))
                session.mount(prefix, ours)
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
        if isinstance(adapter, HTTPAdapter) and not isinstance(adapter, Ours):
            self.theirs.add(adapter)
            self.apply(adapter)

    def apply(self, adapter: HTTPAdapter) -> None:
        if self.engine == "sockets":
            make_polite(adapter, self.outside)
        else:
            _watch(adapter, self.engine, self.outside)


_setups: list[_Setup] = []
_for_all: list[_Setup] = []
# What an adapter of ours was mounted over.
_below = weakref.WeakKeyDictionary[Ours, dict[str, BaseAdapter | None]]()
# Some libraries put a class of their own in the place of `requests.Session`.
_Session: Any = next(c for c in requests.Session.__mro__ if c.__module__ == "requests.sessions")
_replaced = dict[str, Any]()


def _install() -> None:
    if not _replaced:
        _replaced.update(init=_Session.__init__, mount=_Session.mount)
        _Session.__init__ = _init_and_change
        _Session.mount = _mount_and_change


def _uninstall() -> None:
    """Put back what was replaced, unless somebody has replaced ours since, and calls it."""
    if _Session.__init__ is _init_and_change and _Session.mount is _mount_and_change:
        _Session.__init__, _Session.mount = _replaced["init"], _replaced["mount"]
        _replaced.clear()


def _init_and_change(self: requests.Session) -> None:
    _replaced["init"](self)
    for setup in _for_all:
        setup.change(self)


def _mount_and_change(
    self: requests.Session, prefix: str | bytes, adapter: BaseAdapter
) -> None:
    """A library mounts what it likes, and does so after its session was made."""
    made = self.adapters.keys() >= set(EVERYWHERE)
    _replaced["mount"](self, prefix, adapter)
    for setup in _for_all:
        if made and setup.is_for(str(prefix)):
            setup.adopt(adapter)


def _end(setup: _Setup) -> None:
    if setup not in _setups:
        return
    _setups.remove(setup)
    if setup in _for_all:
        _for_all.remove(setup)
    if not _for_all:
        _uninstall()
    for ours in setup.ours:
        ours.undo()
    for adapter in setup.theirs:
        make_plain(adapter)
        vars(adapter).pop("send", None)
        for other in _setups:
            if adapter in other.theirs:
                other.apply(adapter)


def _uncover(session: requests.Session, prefix: str, ours: Ours) -> None:
    if session.adapters.get(prefix) is not ours:
        return
    # Setups may be undone in any order: those below that are undone by now are passed over.
    below: BaseAdapter | None = ours
    while isinstance(below, Ours) and below.undone:
        below = _below.get(below, {}).get(prefix)
    if below:
        session.mount(prefix, below)
    else:
        del session.adapters[prefix]


def _is_as_made(adapter: BaseAdapter) -> bool:
    """Return whether it is what a new session has, with no settings that could be lost."""
    return (
        type(adapter) is HTTPAdapter
        and adapter.max_retries.total == DEFAULT_RETRIES
        and vars(adapter)["_pool_block"] == DEFAULT_POOLBLOCK
    )


def _watch(adapter: HTTPAdapter, engine: str, outside: Outside) -> None:
    """Let an adapter that will block the event loop say so."""

    def send(request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        tell(
            outside,
            f"{request.method} {request.url}",
            f'the engine "{engine}" leaves the adapters of others alone, "sockets" does not',
        )
        return type(adapter).send(adapter, request, *args, **kwargs)

    adapter.send = send  # type: ignore[method-assign]
