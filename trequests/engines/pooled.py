"""What the adapters of all engines have in common: pools that are changed, and changed back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from requests import adapters
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, poolmanager

from .by_identity import ByIdentity
from .keeping import KEPT
from .outside import Outside, checked
from .replaced import Parts, any_of

# For so many hosts at most the keys of their pools are remembered.
REMEMBERED_HOSTS = 1000


class PooledAdapter(HTTPAdapter):
    """An adapter whose pools of connections are those of an engine.

    An answer with `stream=True` belongs to one greenlet at a time.

    Args:
        outside: what to do on the loop's thread where nobody can wait, see `setup_session`.
        pool_maxsize: how many connections to a host are kept for later requests, see `keeping`.
        **options: see `requests.adapters.HTTPAdapter`.

    Raises:
        ValueError: `outside` is something else.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "outside", "of_setup", "undone"]  # noqa: RUF012
    # Whether a setup has made it, and not somebody for himself.
    of_setup = False
    # Whether the setup that mounted this has ended. It may still be mounted on some session,
    # and then does what requests does.
    undone = False
    engine = ""
    # Settings of the pool manager, and keys of its pools as long as they are so.
    _remembered: tuple[dict[str, Any] | None, dict[Any, Any]] = (None, {})

    def __init__(
        self, outside: Outside = "warn", pool_maxsize: int = KEPT, **options: Any
    ) -> None:
        """Get ready for any number of sessions, loops and threads."""
        self.outside = checked(outside)
        super().__init__(pool_maxsize=pool_maxsize, **options)

    def __repr__(self) -> str:
        """Return what it does at this moment: one looks at it to see whether it works."""
        if self.undone:
            return f"<{type(self).__name__}, undone: it does what requests does>"
        managers = (self.poolmanager, *self.proxy_manager.values())
        pools = [
            pool
            for manager in managers
            for key in manager.pools.keys()  # noqa: SIM118
            # Those of somebody else's class keep their connections in a way of their own.
            if hasattr(pool := manager.pools.get(key), "in_use")
        ]
        in_use = sum(len(pool.in_use) for pool in pools)
        kept = sum(len(pool.idle()) for pool in pools)
        return (
            f'<{type(self).__name__}, engine "{self.engine}": pools: {len(pools)}, '
            f"places in use: {in_use}, connections kept: {kept}>"
        )

    def use_pools_of_engine(self, manager: PoolManager) -> None:
        """Let a pool manager make its pools from classes of the engine, see `use_pools`."""
        raise NotImplementedError

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools, see `requests.adapters.HTTPAdapter.init_poolmanager`."""
        super().init_poolmanager(*args, **options)
        if not self.undone:
            self.use_pools_of_engine(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make the pools for a proxy, see `requests.adapters.HTTPAdapter.proxy_manager_for`."""
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        if not self.undone:
            self.use_pools_of_engine(manager)
        return manager

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool for a request, see `requests.adapters.HTTPAdapter`."""
        keys = None if proxies or any_of(_SHORTENED) else self._keys_of_pools()
        if keys is None:
            # By their names, as requests calls whoever has replaced it.
            return super().get_connection_with_tls_context(
                request, verify, proxies=proxies, cert=cert
            )
        # requests works out the key of a pool for each request, which is a good part of what a
        # request costs.
        pools = self.poolmanager.pools
        host = (*request.url.split("/", 3)[:3], verify, cert)
        try:
            key = keys.get(host)
        except TypeError:
            # Whatever was given instead cannot be remembered.
            return super().get_connection_with_tls_context(request, verify, None, cert)
        pool = pools.get(key) if key else None
        if pool is None:
            pool = super().get_connection_with_tls_context(
                request, verify, proxies=proxies, cert=cert
            )
            # The pool that was used last is at the end.
            with pools.lock:
                key = next(reversed(pools._container), None)
            if key and pools.get(key) is pool and len(keys) < REMEMBERED_HOSTS:
                keys[host] = key
        return pool

    def _keys_of_pools(self) -> dict[Any, Any] | None:
        """Return the keys that are remembered, or None where somebody has his own."""
        manager = self.poolmanager
        if (
            type(manager) is not PoolManager
            or len(vars(manager)) != _VARIABLES
            or manager.key_fn_by_scheme != _KEY_FUNCTIONS
            or "build_connection_pool_key_attributes" in vars(self)
            or type(self).build_connection_pool_key_attributes is not _BUILD_KEY
        ):
            return None
        settings, keys = self._remembered
        if settings != manager.connection_pool_kw:
            # They are a part of the keys, and may be changed at any time.
            keys = {}
            self._remembered = _copied(manager.connection_pool_kw), keys
        return keys

    def request_url(self, request: Any, proxies: Any) -> str:
        """Return what to ask for, see `requests.adapters.HTTPAdapter.request_url`."""
        # Without proxies it is the path; requests takes the address apart to find that out.
        if proxies or _REQUEST_URL.replaced():
            return super().request_url(request, proxies)
        return str(request.path_url)

    def undo(self) -> None:
        """Do what requests does from now on."""
        self.undone = True
        use_stock_pools(self)


def _copied(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a copy in which lists are others, too: one of them may grow."""
    return {k: list(v) if isinstance(v, list) else v for k, v in settings.items()}


# What is done here in another way, as long as nobody has replaced it.
_SHORTENED = [
    Parts(
        HTTPAdapter,
        adapters,
        "get_connection_with_tls_context",
        "build_connection_pool_key_attributes",
    ),
    Parts(adapters, adapters, "_urllib3_request_context"),
    Parts(
        PoolManager,
        poolmanager,
        *("connection_from_host", "connection_from_context", "connection_from_pool_key"),
    ),
]


_REQUEST_URL = Parts(HTTPAdapter, adapters, "request_url")
_BUILD_KEY = HTTPAdapter.build_connection_pool_key_attributes
_KEY_FUNCTIONS = dict(poolmanager.key_fn_by_scheme)
# One more is a method of this one that somebody has replaced.
_VARIABLES = len(vars(PoolManager()))


# What pool managers made their pools from before `use_pools`.
_stock_pools = ByIdentity[PoolManager, Any]()


def stock_pools(manager: PoolManager) -> Any:
    """Return what a pool manager makes its pools from when `use_pools` is undone."""
    return _stock_pools.get(manager, manager.pool_classes_by_scheme)


def use_pools(manager: PoolManager, pools: dict[str, Any]) -> None:
    """Let a pool manager make its pools from other classes, until `use_stock_pools`.

    Args:
        manager: the pool manager.
        pools: for each scheme, what is called to make a pool.
    """
    if manager not in _stock_pools:
        _stock_pools[manager] = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = pools
        _let_pools_go(manager)


def changed_pools(adapter: HTTPAdapter) -> Iterator[HTTPConnectionPool]:
    """Yield the pools that somebody has put something on, such as a method of his own."""
    for manager in _managers_of(adapter):
        yield from filter(_is_changed, map(manager.pools.get, manager.pools.keys()))


def _managers_of(adapter: HTTPAdapter) -> list[PoolManager]:
    known = vars(adapter)
    managers = (known.get("poolmanager"), *known.get("proxy_manager", {}).values())
    # An adapter may have a way of its own to send, and none of these.
    return [manager for manager in managers if isinstance(manager, PoolManager)]


def _is_changed(pool: Any) -> bool:
    stock = type(pool) in (HTTPConnectionPool, HTTPSConnectionPool)
    return stock and not vars(pool).keys() <= _POOL_VARIABLES


_POOL_VARIABLES = (
    vars(HTTPConnectionPool("localhost")).keys() | vars(HTTPSConnectionPool("localhost")).keys()
)


def _let_pools_go(manager: PoolManager) -> None:
    """Drop the pools, which are of the classes before; what somebody has changed stays."""
    for key in manager.pools.keys():  # noqa: SIM118
        if not _is_changed(manager.pools.get(key)):
            with suppress(KeyError):
                del manager.pools[key]


def use_stock_pools(adapter: HTTPAdapter) -> None:
    """Undo `use_pools` in all pool managers of an adapter."""
    for manager in _managers_of(adapter):
        stock = _stock_pools.pop(manager, None)
        if stock is not None:
            manager.pool_classes_by_scheme = stock
            _let_pools_go(manager)
