"""The urllib3 that this package is built on. It is imported first, and refuses any other.

Its engines are subclasses of urllib3's own classes and of those of requests, with names that
are not promised to anybody. Another package in the place of urllib3, or a version in which such
a name has moved, would fail in the middle of a request.
"""

from __future__ import annotations

import importlib

import urllib3

OLDEST, NEWEST = (2, 5), (2, 8)
# The names that the engines reach for, and where they are.
NAMES = {
    "requests.adapters": (
        "HTTPAdapter.build_connection_pool_key_attributes",
        "HTTPAdapter.get_connection_with_tls_context",
        "HTTPAdapter.request_url",
    ),
    "requests.auth": ("HTTPDigestAuth.init_per_thread_state",),
    "urllib3.connection": (
        "HTTPConnection._new_conn",
        "HTTPSConnection._connect_tls_proxy",
    ),
    "urllib3.connectionpool": (
        "ConnectionPool.QueueCls",
        "HTTPConnectionPool.ConnectionCls",
        "HTTPConnectionPool._get_conn",
        "HTTPConnectionPool._make_request",
        "HTTPConnectionPool._new_conn",
        "HTTPConnectionPool._put_conn",
    ),
    "urllib3.poolmanager": ("key_fn_by_scheme",),
    "urllib3.util.connection": ("_has_ipv6", "allowed_gai_family"),
    "urllib3.util.timeout": ("_DEFAULT_TIMEOUT",),
}


def wrong() -> str:
    """Return what is wrong with the urllib3 that is here, or nothing."""
    if hasattr(urllib3, "AsyncPoolManager"):
        return (
            "the package urllib3 was replaced by urllib3-future, as niquests does when it is "
            "installed, and trequests needs urllib3 itself: install niquests in another "
            "environment, and urllib3 here anew"
        )
    said: str = vars(urllib3)["__version__"]
    version = tuple(int(part) for part in said.split(".")[:2])
    oldest, newest = (".".join(map(str, each)) for each in (OLDEST, NEWEST))
    if version < OLDEST:
        return f"trequests needs urllib3 {oldest} or later, and this is {said}"
    # With another urllib3 it may not even be imported.
    requests = importlib.import_module("requests")
    for module, names in NAMES.items():
        for name in names:
            if not _has(module, name):
                return (
                    f"trequests knows urllib3 {oldest} to {newest} with requests 2.32.5 and "
                    f"later, and urllib3 {said} with requests {requests.__version__} has no "
                    f"{module}.{name}"
                )
    return ""


def _has(module: str, name: str) -> bool:
    found: object = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


if reason := wrong():
    raise ImportError(reason)
