"""The engine "sockets": requests' own adapter, on sockets that yield to the event loop."""

from __future__ import annotations

import functools
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager

from ..instead import patch, unpatch
from ..keeping import most_spare
from ..outside import Outside
from ..pooled import PooledAdapter, stock_pools, use_pools, use_stock_pools
from .pools import PolitePool, PoliteTLSPool

STOCK: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}


class SocketsAdapter(PooledAdapter):
    """Send as requests does, on sockets that yield to the event loop; see `PooledAdapter`."""

    engine = "sockets"

    def use_pools_of_engine(self, manager: PoolManager) -> None:
        """Let a pool manager make pools that yield to the loop."""
        use_polite_pools(manager, self.outside, all_of_them=True)


def make_polite(adapter: HTTPAdapter, outside: Outside) -> None:
    """Let an adapter that somebody else made send on sockets that yield to the loop.

    What it sends through pools that it makes itself is left to `unseen`.

    Args:
        adapter: one that sends through urllib3's pools, as `HTTPAdapter` does.
        outside: what to do on the loop's thread where nobody can wait.
    """
    manager = getattr(adapter, "poolmanager", None)
    if not isinstance(manager, PoolManager):
        # It sends in a way of its own.
        return
    use_polite_pools(manager, outside, all_of_them=False)

    def proxy_manager_for(original: Any, proxy: str, **options: Any) -> Any:
        manager = original(proxy, **options)
        use_polite_pools(manager, outside, all_of_them=False)
        return manager

    patch(adapter, {"proxy_manager_for": proxy_manager_for})


def make_plain(adapter: HTTPAdapter) -> None:
    """Undo `make_polite`; requests that are under way end as they began."""
    unpatch(adapter)
    use_stock_pools(adapter)


def use_polite_pools(manager: PoolManager, outside: Outside, *, all_of_them: bool) -> None:
    """Let a pool manager make pools that yield to the loop.

    Args:
        manager: the pool manager.
        outside: what the pools do where nobody can wait.
        all_of_them: whether also in the place of classes that are not urllib3's own. Some
            libraries put theirs into the dictionary that all pool managers share, and mean
            one session by it.
    """
    given, for_socks = stock_pools(manager), _stock_pools_for_socks(manager)
    is_socks = for_socks is not STOCK
    # Not the dictionary that is shared, which may have been changed.
    stock = for_socks if is_socks else STOCK
    pools = dict(given)
    # An adapter of somebody else's keeps as many connections as it was told to.
    spare = most_spare() if all_of_them else 0
    for scheme, kind in _polite_pools(is_socks=is_socks).items():
        if all_of_them or given.get(scheme) is stock[scheme]:
            # The type checker takes a method of its objects for one of the class.
            pools[scheme] = _told(kind, outside, spare)  # type: ignore[arg-type]
    use_pools(manager, pools)


@functools.cache
def _told(kind: type[PolitePool], outside: Outside, spare: int) -> type[PolitePool]:
    """Return a class of pools that knows what it is to do.

    It is a class, as urllib3's own is: whoever puts a guard on that, or makes a class of his
    own of it, finds what he expects.
    """

    class Told(kind):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{"outside": outside, "spare": spare, **kwargs})

    Told.__name__, Told.__qualname__ = kind.__name__, kind.__qualname__
    Told.__module__, Told.__doc__ = kind.__module__, kind.__doc__
    return Told


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
