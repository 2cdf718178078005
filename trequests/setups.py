"""What one call of `setup_session` changes, and how that is undone."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from .engines.by_identity import ByIdentity
from .engines.clients.adapter import CLIENTS, TornadoAdapter
from .engines.outside import Outside, checked
from .engines.pooled import PooledAdapter
from .engines.sockets.adapter import SocketsAdapter, make_plain, make_polite
from .engines.unseen import leave_changed_pools, see_changed_pools
from .mounted import Mounted, copy_of, is_as_made, put, serving

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
        self.theirs = ByIdentity[HTTPAdapter, None]()
        # What was mounted on sessions that were met when they sent something.
        self.met = list[Mounted]()

    def changes(self, session: requests.Session) -> Iterator[Mounted]:
        """Change a session, a step for each that is asked for, and give what it has mounted."""
        for prefix, adapter in session.adapters.items():
            if self.is_for(prefix) and not is_as_made(adapter):
                self.adopt(adapter)
        for wanted in self.prefixes:
            # Behind the same in other letters, it would never be found.
            same = (each for each in session.adapters if each.lower() == wanted.lower())
            prefix = next(same, wanted)
            below = session.adapters.get(prefix)
            if below is not None:
                if _may_be_replaced(below) and below not in self.ours:
                    yield self._mount_ours(session, prefix, below)
                continue
            server = serving(session, prefix)
            # One that is not of requests' kind sends these addresses too, in its own way.
            if server is None or isinstance(server, HTTPAdapter):
                yield self._mount_stand_in(session, prefix, server)

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
        if not isinstance(adapter, HTTPAdapter):
            return adapter
        if adapter in _stand_ins:
            adapter, is_as_ever = self._without_stand_in(session, url, adapter)
            return adapter if is_as_ever else self.meets(session, url, adapter)
        if adapter in self.theirs:
            return adapter
        if isinstance(adapter, PooledAdapter) and (
            adapter in self.ours or not _may_be_replaced(adapter)
        ):
            return adapter
        prefixes = (p for p, each in session.adapters.items() if each is adapter)
        prefix = next((p for p in prefixes if _begins(url, p)), None)
        if prefix is None:
            # A method of its own has come by it, perhaps for all addresses.
            if self.everywhere:
                self.adopt(adapter)
            return adapter
        if not self.is_for(prefix):
            # One of its own for these addresses, as in `changes`.
            prefix = next(each for each in self.prefixes if _begins(url, each))
            mounted = self._mount_stand_in(session, prefix, adapter)
        elif _may_be_replaced(adapter):
            mounted = self._mount_ours(session, prefix, adapter)
            # What it has kept for later requests is not used any more.
            adapter.close()
        else:
            self.adopt(adapter)
            return adapter
        mounted.remember()
        self.met = [*(each for each in self.met if each.session()), mounted]
        return mounted.adapter

    def _mount_ours(
        self, session: requests.Session, prefix: str, below: BaseAdapter | None
    ) -> Mounted:
        # One for each prefix: a session closes each adapter that is mounted once.
        ours = self.make_ours()
        ours.of_setup = True
        self.ours.add(ours)
        if below is not None and below in _stand_ins:
            _stand_ins[ours] = _stand_ins[below]
        put(session, prefix, ours)
        return Mounted(weakref.ref(session), prefix, below, ours)

    def _mount_stand_in(
        self, session: requests.Session, prefix: str, server: HTTPAdapter | None
    ) -> Mounted:
        """Mount an adapter for some of the addresses that another one serves."""
        if server is None or _may_be_replaced(server):
            mounted = self._mount_ours(session, prefix, None)
        else:
            # Its settings are for these addresses too.
            session.mount(prefix, copied := copy_of(server))
            mounted = Mounted(weakref.ref(session), prefix, None, copied)
            self.adopt(copied)
        _stand_ins[mounted.adapter] = _original(server)
        return mounted

    def _without_stand_in(
        self, session: requests.Session, url: str, stand_in: HTTPAdapter
    ) -> tuple[BaseAdapter, bool]:
        """Return what a request is to be sent with, and whether that is the stand-in still.

        Somebody may have mounted another adapter since for the addresses of the original.
        """
        others = (
            each
            for prefix, each in session.adapters.items()
            if each is not stand_in and _begins(url, prefix)
        )
        server = next(others, None)
        if server is None or _original(server)() is _stand_ins[stand_in]():
            return stand_in, True
        for prefix, each in list(session.adapters.items()):
            if each is stand_in:
                del session.adapters[prefix]
        stand_in.close()
        return server, False

    def make_ours(self) -> Ours:
        """Return a new adapter of the engine."""
        if self.engine == "sockets":
            return SocketsAdapter(self.outside)
        return TornadoAdapter(self.engine, self.outside)

    def is_for(self, prefix: str) -> bool:
        """Return whether all addresses that begin like this are to be changed."""
        return self.everywhere or any(_begins(prefix, each) for each in self.prefixes)

    def covers(self, url: object) -> bool:
        """Return whether requests to an address are to be changed; it may be none at all."""
        return self.everywhere or (isinstance(url, str) and self.is_for(url))

    def adopt(self, adapter: BaseAdapter) -> None:
        """Change an adapter of somebody else's, which has settings that must stay."""
        if not isinstance(adapter, HTTPAdapter) or isinstance(adapter, PooledAdapter):
            return
        if adapter not in self.theirs:
            self.theirs[adapter] = None
            _as_before(adapter)
            self.apply(adapter)
            _setups[adapter] = [*_setups.get(adapter, []), self]

    def apply(self, adapter: HTTPAdapter) -> None:
        """Let an adapter of somebody else's wait politely; without this a thread waits."""
        see_changed_pools(adapter)
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
            _as_before(adapter)
            setups = [each for each in _setups.pop(adapter, []) if each is not self]
            if setups:
                setups[-1].apply(adapter)
                _setups[adapter] = setups
        self.theirs.clear()


def _as_before(adapter: HTTPAdapter) -> None:
    """Undo `Setup.apply`."""
    make_plain(adapter)
    leave_changed_pools(adapter)


def _may_be_replaced(adapter: BaseAdapter) -> bool:
    """Return whether it has no settings that somebody has chosen."""
    if isinstance(adapter, PooledAdapter):
        return adapter.of_setup or adapter.undone
    return is_as_made(adapter)


def _original(adapter: BaseAdapter | None) -> Callable[[], BaseAdapter | None]:
    """Return a weak reference to an adapter, or to none if it has no settings."""
    if adapter is None or _may_be_replaced(adapter):
        return lambda: None
    return weakref.ref(adapter)


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
_setups = ByIdentity[HTTPAdapter, list[Setup]]()
# Adapters that setups have mounted for some of the addresses of another one; and that one, if
# it has settings.
_stand_ins = ByIdentity[BaseAdapter, Callable[[], BaseAdapter | None]]()
