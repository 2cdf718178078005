"""The engine "sockets": requests' own adapter, on sockets that yield to the event loop."""

from __future__ import annotations

import functools
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager

from .. import tornalet
from .outside import Outside, checked
from .pools import PolitePool, PoliteTLSPool

STOCK = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}


class SocketsAdapter(HTTPAdapter):
    """Send as requests does, on sockets that yield to the event loop.

    Args:
        outside: what to do on the loop's thread where nobody can wait, see `setup_session`.
        pool_maxsize: how many connections to a host are kept for later requests.
        **options: see `requests.adapters.HTTPAdapter`.

    Raises:
        ValueError: `outside` is something else.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "outside"]  # noqa: RUF012
    outside: Outside = "warn"
    # Sessions may outlive the setup that mounted this. It then does what requests does.
    undone = False

    def __init__(
        self, outside: Outside = "warn", pool_maxsize: int = 1000, **options: Any
    ) -> None:
        """Get ready for any number of sessions, loops and threads."""
        self.outside = checked(outside)
        super().__init__(pool_maxsize=pool_maxsize, **options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools, see `requests.adapters.HTTPAdapter.init_poolmanager`."""
        super().init_poolmanager(*args, **options)
        make_polite(self, self.outside)

    def undo(self) -> None:
        """Do what requests does from now on."""
        self.undone = True
        make_plain(self)


def make_polite(adapter: HTTPAdapter, outside: Outside) -> None:
    """Let an adapter that somebody else made send on sockets that yield to the loop.

    Args:
        adapter: one that sends through urllib3's pools, as `HTTPAdapter` does.
        outside: what to do on the loop's thread where nobody can wait.
    """
    pools = {
        "http": functools.partial(PolitePool, outside=outside),
        "https": functools.partial(PoliteTLSPool, outside=outside),
    }

    def proxy_manager_for(proxy: str, **options: Any) -> ProxyManager:
        if proxy.lower().startswith("socks") and tornalet.can_wait():
            raise requests.exceptions.InvalidSchema(
                'the engine "sockets" knows no SOCKS proxies: the engine "curl" does'
            )
        manager: ProxyManager = type(adapter).proxy_manager_for(adapter, proxy, **options)
        if not proxy.lower().startswith("socks"):
            _make_from(manager, pools)
        return manager

    _make_from(adapter.poolmanager, pools)
    for manager in adapter.proxy_manager.values():
        _make_from(manager, pools)
    adapter.proxy_manager_for = proxy_manager_for  # type: ignore[method-assign]


def make_plain(adapter: HTTPAdapter) -> None:
    """Undo `make_polite`; requests that are under way end as they began."""
    _make_from(adapter.poolmanager, STOCK)
    for manager in adapter.proxy_manager.values():
        _make_from(manager, STOCK)
    vars(adapter).pop("proxy_manager_for", None)


def _make_from(manager: PoolManager, pools: Any) -> None:
    if manager.pool_classes_by_scheme is not pools:
        manager.pool_classes_by_scheme = pools
        # What it keeps was made from other classes.
        manager.clear()
