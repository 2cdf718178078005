"""What one call of `setup_session` changes, and how that is undone."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from .engines.clients.adapter import CLIENTS, TornadoAdapter
from .engines.outside import Outside, checked
from .engines.sockets.adapter import SocketsAdapter, make_plain, make_polite

EVERYWHERE = ("http://", "https://")
ENGINES = (*CLIENTS, "sockets")
EXAMPLE = "https://api.example.org/"

Ours = TornadoAdapter | SocketsAdapter


class Setup:
    """What one call of `setup_session` asks for, and what it has changed so far.

    Args:
        mounts: see `setup_session`.
        engine: the name of the engine.
        outside: see `setup_session`.

    Raises:
        TypeError: `mounts` are no texts.
        ValueError: there is no such engine, `outside` is something else, or `mounts` have no
            scheme with "://" behind it.
        ImportError: the engine needs something that is not installed.
    """

    def __init__(
        self, mounts: str | Iterable[str] | None, engine: str, outside: Outside
    ) -> None:
        """Check what is asked for; nothing is changed yet."""
        if engine not in ENGINES:
            raise ValueError(f"the engine is one of {', '.join(ENGINES)}, not {engine!r}")
        self.everywhere = mounts is None
        self.prefixes = EVERYWHERE if mounts is None else _prefixes(mounts)
        self.engine = engine
        self.outside = checked(outside)
        # An engine that is not installed is an error here, and not when a session is made.
        self.make_ours()
        # Adapters of this package that were mounted, and those of others that were changed.
        self.ours = weakref.WeakSet[Ours]()
        self.theirs = weakref.WeakSet[HTTPAdapter]()
        # What was mounted on sessions that were met when they sent something.
        self.met = list[Mounted]()

    def changes(self, session: requests.Session) -> Iterator[Mounted]:
        """Change a session, a step for each that is asked for, and give what it has mounted."""
        for prefix, adapter in session.adapters.items():
            if self.is_for(prefix) and not _is_as_made(adapter):
                self.adopt(adapter)
        for wanted in self.prefixes:
            # Behind the same in other letters, it would never be found.
            same = (each for each in session.adapters if each.lower() == wanted.lower())
            prefix = next(same, wanted)
            below = session.adapters.get(prefix)
            serving = below or _serving(session, prefix)
            if below in self.ours:
                continue
            if below is None and isinstance(serving, HTTPAdapter) and not _is_as_made(serving):
                # Its settings are for these addresses too.
                session.mount(prefix, copied := copy.copy(serving))
                yield Mounted(weakref.ref(session), prefix, None, copied)
                self.adopt(copied)
            elif below is None or _is_as_made(below) or isinstance(below, Ours):
                yield self._mount_ours(session, prefix, below)

    def meets(self, session: requests.Session, url: str, adapter: BaseAdapter) -> BaseAdapter:
        """Change a session that sends something, if its adapter is not yet changed.

        The session may be older than the setup, or have come by its adapter on a way that
        nobody saw.

        Args:
            session: the session.
            url: where it sends something.
            adapter: what it would send it with.

        Returns:
            What it is to send it with.
        """
        if not isinstance(adapter, HTTPAdapter) or adapter in _setups:
            return adapter
        if isinstance(adapter, Ours) and not adapter.undone:
            return adapter
        serving = (p for p, each in session.adapters.items() if each is adapter)
        prefix = next((p for p in serving if _begins(url, p)), None)
        if prefix is None:
            # A method of its own has come by it, perhaps for all addresses.
            if self.everywhere:
                self.adopt(adapter)
            return adapter
        if not self.is_for(prefix):
            # One of its own for these addresses, as in `changes`.
            prefix = next(each for each in self.prefixes if _begins(url, each))
        below = session.adapters.get(prefix)
        if isinstance(adapter, Ours) or _is_as_made(adapter):
            mounted = self._mount_ours(session, prefix, below)
            # What it has kept for later requests is not used any more.
            adapter.close()
        elif below is adapter:
            self.adopt(adapter)
            return adapter
        else:
            session.mount(prefix, copied := copy.copy(adapter))
            mounted = Mounted(weakref.ref(session), prefix, below, copied)
            self.adopt(copied)
        mounted.remember()
        self.met = [*(each for each in self.met if each.session()), mounted]
        return mounted.adapter

    def _mount_ours(
        self, session: requests.Session, prefix: str, below: BaseAdapter | None
    ) -> Mounted:
        # One for each prefix: a session closes each adapter that is mounted once.
        ours = self.make_ours()
        self.ours.add(ours)
        _put(session, prefix, ours)
        return Mounted(weakref.ref(session), prefix, below, ours)

    def make_ours(self) -> Ours:
        """Return a new adapter of the engine."""
        if self.engine == "sockets":
            return SocketsAdapter(self.outside)
        return TornadoAdapter(self.engine, self.outside)

    def is_for(self, prefix: str) -> bool:
        """Return whether all addresses that begin like this are to be changed."""
        return self.everywhere or any(_begins(prefix, each) for each in self.prefixes)

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
        """Let an adapter of somebody else's wait politely; without this a thread waits."""
        if self.engine == "sockets":
            make_polite(adapter, self.outside)

    def end(self) -> None:
        """Let everything that was changed do what it did before."""
        for mounted in reversed(self.met):
            mounted.undo()
        self.met.clear()
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


def _begins(address: str, prefix: str) -> bool:
    return address.lower().startswith(prefix.lower())


def _prefixes(mounts: str | Iterable[str]) -> tuple[str, ...]:
    """Return the beginnings of addresses, one or several, if they can be that."""
    if isinstance(mounts, bytes) or not isinstance(mounts, Iterable):
        raise TypeError(f"mounts is a text or several, such as {EXAMPLE}, not {mounts!r}")
    prefixes = (mounts,) if isinstance(mounts, str) else tuple(mounts)
    for prefix in prefixes:
        if not isinstance(prefix, str):
            raise TypeError(f"mounts are texts, such as {EXAMPLE}, not {prefix!r}")
        if "://" not in prefix:
            # It would be mounted, and never found: no address begins like that, or a session
            # looks first at what it has for "http://" and "https://", which is longer.
            raise ValueError(
                f"mounts begin as {EXAMPLE} does, with a scheme, and not as {prefix!r}"
            )
    if not prefixes:
        raise ValueError("mounts is empty: leave it out for all addresses")
    return prefixes


# The setups that changed an adapter of somebody else's; the last one counts.
_setups = weakref.WeakKeyDictionary[HTTPAdapter, list[Setup]]()


class Mounted(NamedTuple):
    """An adapter that a setup has mounted on a session."""

    session: Callable[[], requests.Session | None]
    prefix: str
    # What was mounted there before.
    below: BaseAdapter | None
    adapter: HTTPAdapter

    def remember(self) -> None:
        """Remember what is below, for the `undo` of what may come on top."""
        _below.setdefault(self.adapter, {})[self.prefix] = self.below

    def undo(self) -> None:
        """Mount again what is below, unless somebody has mounted something else since."""
        reference, prefix, below, adapter = self
        session = reference()
        if session is None or session.adapters.get(prefix) is not adapter:
            return
        # Setups may be undone in any order: those below that are undone by now are passed over.
        while isinstance(below, Ours) and below.undone and below in _below:
            below = _below[below].get(prefix)
        if below is not None:
            _put(session, prefix, below)
        else:
            del session.adapters[prefix]


# What an adapter of ours was mounted over, for each prefix.
_below = weakref.WeakKeyDictionary[HTTPAdapter, dict[str, BaseAdapter | None]]()


def _put(session: requests.Session, prefix: str, adapter: BaseAdapter) -> None:
    if prefix in session.adapters:
        # `mount` takes other entries out for a moment, and another thread may look for one.
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
