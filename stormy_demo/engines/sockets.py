"""The engine "sockets": requests' own adapter, on sockets that yield to the event loop."""

from __future__ import annotations

import functools
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager

from .instead import Instead
from .outside import Outside, checked, tell
from .pools import PolitePool, PoliteTLSPool

STOCK: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
OWN_POOLS = "its adapter has connections of its own"
# More hosts than these are worked out anew.
HOSTS = 1000


class SocketsAdapter(HTTPAdapter):
    """Send as requests does, on sockets that yield to the event loop.

    An answer with `stream=True` belongs to one greenlet at a time.

    Args:
        outside: what to do on the loop's thread where nobody can wait, see `setup_session`.
        pool_maxsize: how many connections to a host are kept for later requests.
        **options: see `requests.adapters.HTTPAdapter`.

    Raises:
        ValueError: `outside` is something else.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "outside", "undone"]  # noqa: RUF012
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
        self.keys = dict[Any, Any]()
        if not self.undone:
            use_polite_pools(self.poolmanager, self.outside)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make the pools for a proxy, see `requests.adapters.HTTPAdapter.proxy_manager_for`."""
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        if not self.undone:
            use_polite_pools(manager, self.outside)
        return manager

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool for a request, see `requests.adapters.HTTPAdapter`."""
        if proxies:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        # requests works the key of a pool out from the address each time, and that takes as
        # long as to send the request.
        pools = self.poolmanager.pools
        host = (*request.url.split("/", 3)[:3], verify, cert)
        key = self.keys.get(host)
        pool = pools.get(key) if key else None
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            # The one that was used last.
            with pools.lock:
                key = next(reversed(pools._container), None)
            if key and pools.get(key) is pool and len(self.keys) < HOSTS:
                self.keys[host] = key
        return pool

    def undo(self) -> None:
        """Do what requests does from now on."""
        self.undone = True
        use_stock_pools(self)


def make_polite(adapter: HTTPAdapter, outside: Outside) -> None:
    """Let an adapter that somebody else made send on sockets that yield to the loop.

    One whose connections are of its own making cannot be helped, and says so when it blocks.

    Args:
        adapter: one that sends through urllib3's pools, as `HTTPAdapter` does.
        outside: what to do on the loop's thread where nobody can wait.
    """
    if not use_polite_pools(adapter.poolmanager, outside):
        watch(adapter, outside, OWN_POOLS)
        return
    for manager in adapter.proxy_manager.values():
        use_polite_pools(manager, outside)

    def proxy_manager_for(original: Any, proxy: str, **options: Any) -> Any:
        manager = original(proxy, **options)
        use_polite_pools(manager, outside)
        return manager

    def get_connection(original: Any, request: Any, *args: Any, **options: Any) -> Any:
        pool = original(request, *args, **options)
        # Also if it has made itself a new pool manager since.
        if not isinstance(pool, PolitePool):
            tell(outside, getattr(request, "url", request), OWN_POOLS)
        return pool

    around: dict[str, Any] = {
        "proxy_manager_for": proxy_manager_for,
        "get_connection_with_tls_context": get_connection,
        "get_connection": get_connection,
    }
    vars(adapter)["_replaced"] = [Instead(adapter, *each) for each in around.items()]


def watch(adapter: HTTPAdapter, outside: Outside, why: str) -> None:
    """Let an adapter that blocks the event loop say so.

    Args:
        adapter: the adapter.
        outside: how to say it, see `outside.tell`.
        why: the reason.
    """

    def send(
        original: Any, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> Any:
        tell(outside, f"{request.method} {request.url}", why)
        return original(request, *args, **options)

    vars(adapter)["_replaced"] = [Instead(adapter, "send", send)]


def make_plain(adapter: HTTPAdapter) -> None:
    """Undo `make_polite` and `watch`; requests that are under way end as they began."""
    for one in vars(adapter).pop("_replaced", ()):
        one.end()
    use_stock_pools(adapter)


def use_polite_pools(manager: PoolManager, outside: Outside) -> bool:
    """Let a pool manager make pools that yield to the loop.

    Returns:
        Whether it does. It does not if somebody has told it which pools to make.
    """
    now = manager.pool_classes_by_scheme
    before = vars(manager).get("_stock_pools", now)
    if before not in (STOCK, _stock_pools_for_socks(manager)):
        return False
    if before is now:
        kinds = _polite_pools(is_socks=before != STOCK)
        polite: dict[str, Any] = {
            scheme: functools.partial(kind, outside=outside) for scheme, kind in kinds.items()
        }
        manager.pool_classes_by_scheme = polite
        vars(manager)["_stock_pools"] = before
        # What it keeps was made from other classes.
        manager.clear()
    return True


def use_stock_pools(adapter: HTTPAdapter) -> None:
    """Undo `use_polite_pools` in all pool managers of an adapter."""
    for manager in (adapter.poolmanager, *adapter.proxy_manager.values()):
        before = vars(manager).pop("_stock_pools", None)
        if before is not None:
            manager.pool_classes_by_scheme = before
            manager.clear()


def _stock_pools_for_socks(manager: PoolManager) -> Any:
    # The class cannot be imported where PySocks is missing, and then nothing is one of its.
    for kind in type(manager).__mro__:
        if kind.__name__ == "SOCKSProxyManager":
            return vars(kind)["pool_classes_by_scheme"]
    return STOCK


def _polite_pools(is_socks: bool) -> dict[str, type[PolitePool]]:
    if not is_socks:
        return {"http": PolitePool, "https": PoliteTLSPool}
    from .socks import PoliteSOCKSPool, PoliteSOCKSTLSPool

    return {"http": PoliteSOCKSPool, "https": PoliteSOCKSTLSPool}
