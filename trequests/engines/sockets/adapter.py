"""The engine "sockets": requests' own adapter, on sockets that yield to the event loop."""

from __future__ import annotations

import functools
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager

from ..instead import patch, unpatch
from ..outside import Outside, report_blocking
from ..pooled import PooledAdapter, stock_pools, use_pools, use_stock_pools
from .pools import PolitePool, PoliteTLSPool

STOCK: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
OWN_POOLS = "its adapter has connections of its own"


class SocketsAdapter(PooledAdapter):
    """Send as requests does, on sockets that yield to the event loop; see `PooledAdapter`."""

    def use_pools_of_engine(self, manager: PoolManager) -> None:
        """Let a pool manager make pools that yield to the loop."""
        use_polite_pools(manager, self.outside, all_of_them=True)


def make_polite(adapter: HTTPAdapter, outside: Outside) -> None:
    """Let an adapter that somebody else made send on sockets that yield to the loop.

    An adapter that makes its connections itself cannot be changed; it then warns, or raises,
    when it blocks the loop.

    Args:
        adapter: one that sends through urllib3's pools, as `HTTPAdapter` does.
        outside: what to do on the loop's thread where nobody can wait.
    """
    if not use_polite_pools(adapter.poolmanager, outside, all_of_them=False):
        watch(adapter, outside, OWN_POOLS)
        return

    def proxy_manager_for(original: Any, proxy: str, **options: Any) -> Any:
        manager = original(proxy, **options)
        use_polite_pools(manager, outside, all_of_them=False)
        return manager

    def get_connection(original: Any, request: Any, *args: Any, **options: Any) -> Any:
        pool = original(request, *args, **options)
        # The adapter may have made itself a new pool manager since, or always makes its own.
        if not isinstance(pool, PolitePool):
            report_blocking(outside, getattr(request, "url", request), OWN_POOLS)
        return pool

    around: dict[str, Any] = {
        "proxy_manager_for": proxy_manager_for,
        "get_connection_with_tls_context": get_connection,
        "get_connection": get_connection,
    }
    patch(adapter, around)


def watch(adapter: HTTPAdapter, outside: Outside, why: str) -> None:
    """Let an adapter that blocks the event loop warn of it, or raise.

    Args:
        adapter: the adapter.
        outside: which of the two, see `outside.report_blocking`.
        why: the reason.
    """

    def send(
        original: Any, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> Any:
        report_blocking(outside, f"{request.method} {request.url}", why)
        return original(request, *args, **options)

    patch(adapter, {"send": send})


def make_plain(adapter: HTTPAdapter) -> None:
    """Undo `make_polite` and `watch`; requests that are under way end as they began."""
    unpatch(adapter)
    use_stock_pools(adapter)


def use_polite_pools(manager: PoolManager, outside: Outside, *, all_of_them: bool) -> bool:
    """Let a pool manager make pools that yield to the loop.

    Args:
        manager: the pool manager.
        outside: what the pools do where nobody can wait.
        all_of_them: whether also in the place of classes that are not urllib3's own. Some
            libraries put theirs into the dictionary that all pool managers share, and mean
            one session by it.

    Returns:
        Whether it makes any. It does not if somebody has given it other classes for all.
    """
    given, for_socks = stock_pools(manager), _stock_pools_for_socks(manager)
    is_socks = for_socks is not STOCK
    # Not the dictionary that is shared, which may have been changed.
    stock = for_socks if is_socks else STOCK
    pools = dict(given)
    for scheme, kind in _polite_pools(is_socks=is_socks).items():
        if all_of_them or given.get(scheme) is stock[scheme]:
            pools[scheme] = functools.partial(kind, outside=outside)
    if pools == given:
        return False
    use_pools(manager, pools)
    return True


def _stock_pools_for_socks(manager: PoolManager) -> Any:
    # Looked up by name: the class cannot be imported where PySocks is not installed.
    for kind in type(manager).__mro__:
        if kind.__name__ == "SOCKSProxyManager":
            return vars(kind)["pool_classes_by_scheme"]
    return STOCK


def _polite_pools(is_socks: bool) -> dict[str, type[PolitePool]]:
    if not is_socks:
        return {"http": PolitePool, "https": PoliteTLSPool}
    from .socks import PoliteSOCKSPool, PoliteSOCKSTLSPool

    return {"http": PoliteSOCKSPool, "https": PoliteSOCKSTLSPool}
