"""The proxies of a machine, as far as programs of the kit can be told of them.

Set-up fetches through whatever there is. All else asks servers on this machine; but httpx, with
which JupyterLab asks, stops at a SOCKS proxy, and at a slip of the pen.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

# Requests between programs of one machine must not go through a proxy.
THIS_MACHINE = ("127.0.0.1", "localhost")


def told(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without proxies that stop programs, and without any for us.

    Args:
        env: the environment of the user.
    """
    kept = {}
    for name, value in env.items():
        if not name.lower().endswith("_proxy"):
            kept[name] = value
        # pip and curl take an address without http:// in front of it, JupyterLab does not.
        elif usual(address := value if "://" in value else f"http://{value}"):
            kept[name] = address
    theirs = (env.get("no_proxy") or env.get("NO_PROXY") or "").split(",")
    excepted = [*filter(is_host, map(str.strip, theirs)), *THIS_MACHINE]
    return {**kept, "NO_PROXY": ",".join(excepted), "no_proxy": ",".join(excepted)}


def usual(proxy: str) -> bool:
    """Return whether a proxy is one for HTTP, with an address that can be read."""
    try:
        address = urlsplit(proxy)
        known = address.scheme in ("http", "https") and address.hostname and address.port != 0
        return bool(known) and " " not in proxy
    except ValueError:
        return False


def is_host(exception: str) -> bool:
    """Return whether an exception is a host, perhaps with a port, a network, or an address."""
    if re.fullmatch(r"[^\s:/\[\]]+(:\d+|/\d+)?", exception):
        return True
    try:
        return bool(ipaddress.ip_address(exception))
    except ValueError:
        return False
