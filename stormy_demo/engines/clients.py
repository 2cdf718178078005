"""The engines "simple" and "curl": requests over Tornado's own HTTP clients.

All around is as ever: requests' adapter, urllib3's pool, its errors and its responses. Only
where the pool would take a connection, it takes an exchange with an `AsyncHTTPClient`.
"""

from __future__ import annotations

import functools
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.exceptions import LocationParseError

from .. import tornalet
from .exchange_pools import ExchangePool, ExchangeTLSPool
from .exchanges import Exchange
from .outside import Outside, checked
from .simple import SimpleExchange

CLIENTS = ("simple", "curl")
# So many addresses the pools are remembered for; a program that asks more finds them anew.
HOSTS = 1000


class TornadoAdapter(HTTPAdapter):
    """Send through Tornado's HTTP client, and let the event loop go on meanwhile.

    Args:
        engine: "simple" or "curl", Tornado's two HTTP clients.
        outside: what to do on the loop's thread where nobody can wait, see `setup_session`.

    Raises:
        ValueError: there is no such engine, or `outside` is something else.
        ImportError: the curl engine needs pycurl, which is not installed.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "engine", "outside", "undone"]  # noqa: RUF012

    # Sessions may outlive the setup that mounted this. It then does what requests does.
    undone = False

    def __init__(self, engine: str = "simple", outside: Outside = "warn") -> None:
        """Get ready for any number of sessions, loops and threads."""
        if engine not in CLIENTS:
            raise ValueError(f"the engine is one of {', '.join(CLIENTS)}, not {engine!r}")
        self.outside = checked(outside)
        self.engine = engine
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools, see `requests.adapters.HTTPAdapter.init_poolmanager`."""
        super().init_poolmanager(*args, **options)
        # The keys of pools, by the addresses that lead to them.
        self.keys = dict[Any, Any]()
        if not self.undone:
            self._through_tornado(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make the pools for a proxy, see `requests.adapters.HTTPAdapter.proxy_manager_for`."""
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        if not self.undone:
            self._through_tornado(manager)
        return manager

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool for a request, see `requests.adapters.HTTPAdapter`.

        Raises:
            requests.exceptions.ProxyError: it goes through a proxy, which the engine cannot.
        """
        pool: Any
        if proxies:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            if (
                self.engine == "simple"
                and pool.proxy
                and tornalet.can_wait()
                and not self.undone
            ):
                raise requests.exceptions.ProxyError(
                    'the engine "simple" knows no HTTP proxies: the engines "curl" and '
                    '"sockets" do',
                    request=request,
                )
            return pool
        # requests works the key of a pool out from the address each time, and that takes as
        # long as to send the request.
        pools = self.poolmanager.pools
        host = (*request.url.split("/", 3)[:3], verify, cert)
        key = self.keys.get(host)
        pool = pools.get(key) if key else None
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            # The one that was used last.
            key = next(reversed(pools._container), None)
            if key and pools.get(key) is pool and len(self.keys) < HOSTS:
                self.keys[host] = key
        return pool

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Send one request, see `requests.adapters.HTTPAdapter.send`.

        Raises:
            requests.RequestException: the same as from requests' own adapter.
            ValueError: the timeout is neither seconds nor a pair of them.
        """
        try:
            return super().send(request, *args, **options)
        except LocationParseError as error:
            if self.undone:
                raise
            raise requests.exceptions.InvalidURL(error, request=request) from error

    def undo(self) -> None:
        """Do what requests does from now on."""
        self.undone = True
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            before = vars(manager).pop("_before_tornado", None)
            if before:
                manager.pool_classes_by_scheme = before
                # What it keeps was made from other classes.
                manager.clear()

    def _through_tornado(self, manager: Any) -> None:
        exchange = _exchange(self.engine)
        kinds = _socks_pools() if "_socks_options" in manager.connection_pool_kw else _POOLS
        if "_before_tornado" not in vars(manager):
            vars(manager)["_before_tornado"] = manager.pool_classes_by_scheme
            manager.pool_classes_by_scheme = {
                scheme: functools.partial(kind, exchange=exchange, outside=self.outside)
                for scheme, kind in kinds.items()
            }


def _exchange(engine: str) -> type[Exchange]:
    if engine == "simple":
        return SimpleExchange
    import tornado.curl_httpclient  # noqa: F401

    from .curl import CurlExchange

    return CurlExchange


_POOLS: dict[str, type[ExchangePool]] = {"http": ExchangePool, "https": ExchangeTLSPool}


def _socks_pools() -> dict[str, type[ExchangePool]]:
    from .exchange_socks import ExchangeSOCKSPool, ExchangeSOCKSTLSPool

    return {"http": ExchangeSOCKSPool, "https": ExchangeSOCKSTLSPool}
