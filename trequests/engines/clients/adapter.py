"""The engines "simple" and "curl": requests over Tornado's own HTTP clients.

The rest is requests and urllib3 as they are: the adapter, the pools, the errors, the responses.
But where a pool would use a connection, it uses an exchange with an `AsyncHTTPClient`.
"""

from __future__ import annotations

import functools
from typing import Any

import requests
from urllib3 import PoolManager
from urllib3.exceptions import LocationParseError, MaxRetryError, ProxyError

import tornalet

from ..outside import Outside
from ..pooled import PooledAdapter, use_pools
from .exchanges import Exchange
from .pools import ExchangePool, ExchangeTLSPool
from .simple import SimpleExchange

CLIENTS = ("simple", "curl")


class TornadoAdapter(PooledAdapter):
    """Send through Tornado's HTTP client, and let the event loop go on meanwhile.

    Args:
        engine: "simple" or "curl", Tornado's two HTTP clients.
        outside: what to do on the loop's thread where nobody can wait, see `setup_session`.

    Raises:
        ValueError: there is no such engine, or `outside` is something else.
        ImportError: the curl engine needs pycurl, which is not installed.
    """

    __attrs__ = [*PooledAdapter.__attrs__, "engine"]  # noqa: RUF012

    def __init__(self, engine: str = "simple", outside: Outside = "warn") -> None:
        """Get ready for any number of sessions, loops and threads."""
        if engine not in CLIENTS:
            raise ValueError(f"the engine is one of {', '.join(CLIENTS)}, not {engine!r}")
        self.engine = engine
        super().__init__(outside)

    def use_pools_of_engine(self, manager: PoolManager) -> None:
        """Let a pool manager make pools of exchanges with Tornado's client."""
        exchange = _exchange(self.engine)
        kinds = _socks_pools() if "_socks_options" in manager.connection_pool_kw else _POOLS
        pools: dict[str, Any] = {
            scheme: functools.partial(kind, exchange=exchange, outside=self.outside)
            for scheme, kind in kinds.items()
        }
        use_pools(manager, pools)

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool for a request, see `requests.adapters.HTTPAdapter`.

        Raises:
            requests.exceptions.ProxyError: it goes through a proxy, which the engine cannot.
        """
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        refuses = proxies and pool.proxy and self.engine == "simple" and not self.undone
        if refuses and tornalet.can_wait():
            said = (
                'the engine "simple" knows no HTTP proxies: the engines "curl" and "sockets" do'
            )
            # Where urllib3 has failed, this is what it has raised, and others look into it.
            reason = ProxyError(said, OSError("it was not tried"))
            error = MaxRetryError(pool, request.path_url, reason)
            raise requests.exceptions.ProxyError(error, request=request)
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


def _exchange(engine: str) -> type[Exchange]:
    if engine == "simple":
        return SimpleExchange
    import tornado.curl_httpclient  # noqa: F401

    from .curl import CurlExchange

    return CurlExchange


_POOLS: dict[str, type[ExchangePool]] = {"http": ExchangePool, "https": ExchangeTLSPool}


def _socks_pools() -> dict[str, type[ExchangePool]]:
    from .socks import ExchangeSOCKSPool, ExchangeSOCKSTLSPool

    return {"http": ExchangeSOCKSPool, "https": ExchangeSOCKSTLSPool}
