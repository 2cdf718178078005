"""Adapters of a session: which have settings, how one is copied, mounted, and taken back."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from .engines.by_identity import ByIdentity
from .engines.pooled import PooledAdapter, changed_pools


class Mounted(NamedTuple):
    """An adapter that a setup has mounted on a session."""

    session: Callable[[], requests.Session | None]
    prefix: str
    # What was mounted there before.
    below: BaseAdapter | None
    adapter: HTTPAdapter

    def remember(self) -> None:
        """Remember what is below, for the `undo` of what may come on top."""
        _below[self.adapter] = {**_below.get(self.adapter, {}), self.prefix: self.below}

    def undo(self) -> None:
        """Mount again what is below, unless somebody has mounted something else since."""
        reference, prefix, below, adapter = self
        session = reference()
        if session is None or session.adapters.get(prefix) is not adapter:
            return
        # Setups may be undone in any order: those below that are undone by now are passed over.
        while isinstance(below, PooledAdapter) and below.undone and below in _below:
            below = _below[below].get(prefix)
        if below is not None:
            put(session, prefix, below)
        else:
            del session.adapters[prefix]


# What an adapter of ours was mounted over, for each prefix.
_below = ByIdentity[HTTPAdapter, dict[str, BaseAdapter | None]]()


def put(session: requests.Session, prefix: str, adapter: BaseAdapter) -> None:
    """Mount an adapter on a session."""
    if prefix in session.adapters:
        # `mount` takes other entries out for a moment, and another thread may look for one.
        session.adapters[prefix] = adapter
    else:
        session.mount(prefix, adapter)


def serving(session: requests.Session, prefix: str) -> BaseAdapter | None:
    """Return the adapter for addresses that begin like this, if there is one."""
    try:
        return session.get_adapter(prefix)
    except requests.exceptions.InvalidSchema:
        return None


def copy_of(adapter: HTTPAdapter) -> HTTPAdapter:
    """Return a copy of an adapter, with pools of its own.

    The one that requests makes has what requests knows of, and what a class of somebody's own
    keeps besides, and may make its pools of, would be missing.
    """
    if hasattr(type(adapter), "__copy__"):
        return copy.copy(adapter)
    copied = type(adapter).__new__(type(adapter))
    vars(copied).update(vars(adapter))
    restored: Any = copied
    restored.__setstate__(adapter.__getstate__())
    return copied


def is_as_made(adapter: BaseAdapter) -> bool:
    """Return whether it is what a new session has, with no settings that could be lost."""
    if type(adapter) is not HTTPAdapter or vars(adapter).keys() != vars(_NEW).keys():
        return False
    manager, new = adapter.poolmanager, _NEW.poolmanager
    return (
        type(adapter.max_retries) is type(_NEW.max_retries)
        and vars(adapter.max_retries) == vars(_NEW.max_retries)
        and all(vars(adapter)[name] == vars(_NEW)[name] for name in POOL_SETTINGS)
        and type(manager) is type(new)
        # A method of this one may have been replaced.
        and vars(manager).keys() == vars(new).keys()
        and manager.key_fn_by_scheme == new.key_fn_by_scheme
        and manager.connection_pool_kw == new.connection_pool_kw
        and manager.pool_classes_by_scheme == new.pool_classes_by_scheme
        and type(manager.pools) is type(new.pools)
        and not any(changed_pools(adapter))
        and all(
            getattr(each, "proxy_headers", {}) == adapter.proxy_headers(proxy)
            for proxy, each in adapter.proxy_manager.items()
        )
    )


POOL_SETTINGS = ("config", "_pool_connections", "_pool_maxsize", "_pool_block")
_NEW = HTTPAdapter()
