"""The engine "sockets": requests' own adapter, on sockets that yield to the event loop."""

from __future__ import annotations

import functools
import weakref
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager

from .outside import Outside, checked
from .pools import PolitePool, PoliteTLSPool

_Pools = dict[str, Any]
STOCK: _Pools = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}


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
        self.pools = weakref.WeakValueDictionary[Any, Any]()
        make_polite(self, self.outside)

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool for a request, see `requests.adapters.HTTPAdapter`."""
        if proxies:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        # requests works out the pool from the address each time, which is not little work.
        key = (*request.url.split("/", 3)[:3], verify, cert)
        pool = self.pools.get(key)
        if pool is None:
            pool = self.pools[key] = super().get_connection_with_tls_context(
                request, verify, proxies, cert
            )
        return pool

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
    pools = _with(outside, PolitePool, PoliteTLSPool)
    socks_pools = functools.cache(lambda: _with(outside, *_socks_pools()))

    def proxy_manager_for(proxy: str, **options: Any) -> PoolManager:
        manager: PoolManager = type(adapter).proxy_manager_for(adapter, proxy, **options)
        _make_from(manager, socks_pools() if _is_socks(manager) else pools)
        return manager

    _make_from(adapter.poolmanager, pools)
    for manager in adapter.proxy_manager.values():
        # It was made from the plain classes, and is made anew when it is asked for.
        manager.clear()
    adapter.proxy_manager.clear()
    adapter.proxy_manager_for = proxy_manager_for  # type: ignore[method-assign]


def make_plain(adapter: HTTPAdapter) -> None:
    """Undo `make_polite`; requests that are under way end as they began."""
    _make_from(adapter.poolmanager, STOCK)
    for manager in adapter.proxy_manager.values():
        manager.clear()
    adapter.proxy_manager.clear()
    vars(adapter).pop("proxy_manager_for", None)


def _with(outside: Outside, http: type[PolitePool], https: type[PolitePool]) -> _Pools:
    return {
        "http": functools.partial(http, outside=outside),
        "https": functools.partial(https, outside=outside),
    }


def _is_socks(manager: PoolManager) -> bool:
    # The class cannot be imported where PySocks is missing, and then nothing is one of its.
    return any(c.__name__ == "SOCKSProxyManager" for c in type(manager).__mro__)


def _socks_pools() -> tuple[type[PolitePool], type[PolitePool]]:
    from .socks import PoliteSOCKSPool, PoliteSOCKSTLSPool

    return PoliteSOCKSPool, PoliteSOCKSTLSPool


def _make_from(manager: PoolManager, pools: _Pools) -> None:
    if manager.pool_classes_by_scheme != pools:
        manager.pool_classes_by_scheme = pools
        # What it keeps was made from other classes.
        manager.clear()
