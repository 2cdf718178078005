"""Proxies, and networks that are shut."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version

from tests.addresses import nobody_listens

from .row import Place, Row


def with_nothing(place: Place) -> None:
    """Set up without any cache, and without pip's settings of this machine."""
    place.environment |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_CACHE_DIR": str(place.spare / "pip"),
        "UV_CACHE_DIR": str(place.spare / "uv"),
        "PIP_INDEX_URL": "https://index.invalid/simple",
    }


def at(scheme: str, *variables: str) -> Callable[[Place], None]:
    """Set a proxy, which refuses every connection, in some variables."""

    def lay(place: Place) -> None:
        url = place.leaving.enter_context(nobody_listens())
        proxy = url.replace("http", scheme)
        place.environment |= {"NO_PROXY": "", "no_proxy": ""}
        place.environment |= dict.fromkeys(variables, proxy)

    return lay


def at_with_nothing(scheme: str, *variables: str) -> Callable[[Place], None]:
    """Set such a proxy for a set-up that has to fetch all."""

    def lay(place: Place) -> None:
        with_nothing(place)
        at(scheme, *variables)(place)

    return lay


def odd_proxies(place: Place) -> None:
    """Set what is no address of a proxy, and exceptions that are none."""
    place.environment |= {
        "all_proxy": "socks4://127.0.0.1:9",
        "HTTP_PROXY": "http://proxy.invalid:port",
        "NO_PROXY": "::1/128,http://[::1,*.invalid:99999",
    }


ROWS = [
    Row(
        what="`ALL_PROXY=socks5h://...`, as of ssh or Tor",
        sees="This machine is ready for the day.",
        lay=at("socks5h", "ALL_PROXY", "all_proxy", "http_proxy", "HTTPS_PROXY"),
    ),
    Row(
        what="proxies and exceptions with a slip of the pen, and a proxy of SOCKS 4",
        sees=version("jupyterlab"),
        lay=odd_proxies,
        do=("lab", "--version"),
    ),
    Row(
        what="a first set-up behind a SOCKS proxy",
        sees="cannot go through a SOCKS proxy (ALL_PROXY): set HTTPS_PROXY to an HTTP proxy",
        lay=at_with_nothing("socks5", "ALL_PROXY"),
        do=("bench", "styles"),
        code=1,
        small=True,
    ),
    Row(
        what="a first set-up behind an HTTP proxy that is down",
        sees="the packages cannot be fetched: connect to the network (if it has a proxy",
        lay=at_with_nothing("http", "HTTPS_PROXY"),
        do=("bench", "styles"),
        code=1,
        small=True,
    ),
]
