"""What others have put in the place of what a request is sent with.

A resolver of one's own, a guard against requests to inner addresses, a library that sends
everything through Tor, the system's certificates in the place of a file: they replace a
function or a class that urllib3 calls, or that is below it. Whoever sends in another way must
not pass them over.

A part is as ever if its code is that of the module where it belongs. This is looked at each
time, since a replacement may come, and go, while a program runs.
"""

from __future__ import annotations

import _socket
import functools
import http.client
import operator
import socket
import ssl
import types
import weakref
from collections.abc import Iterable
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, connection, connectionpool
from urllib3.util import connection as connecting
from urllib3.util import response, ssl_, ssl_match_hostname

# What this package has put around methods of others, see `wrapped`: what is below counts.
OURS = weakref.WeakSet[Any]()


class Parts:
    """Functions or methods that somebody may replace.

    Args:
        owner: the module or class that has them.
        module: the module that their code belongs to.
        names: their names; those that this version of it does not have are left out.
    """

    def __init__(self, owner: Any, module: types.ModuleType, *names: str) -> None:
        """Remember which they are."""
        self.owner = owner
        self.module = module
        self.names = [name for name in names if hasattr(owner, name)]
        # To look at their code takes longer than to see that they are the same as before.
        self.known: list[Any] = [None] * len(self.names)
        # Of a single name it would make no tuple.
        self.get = operator.attrgetter(*self.names, "__class__")

    def replaced(self) -> list[str]:
        """Return the whole names of those that are not as ever."""
        if all(map(operator.is_, self.get(self.owner), self.known)):
            return []
        found = [getattr(self.owner, name) for name in self.names]
        wrong = [
            name
            for name, each in zip(self.names, found, strict=True)
            if not _is_of(self.module, each)
        ]
        if not wrong:
            self.known = found
        owner = self.owner
        if not isinstance(owner, types.ModuleType):
            return [f"{owner.__module__}.{owner.__qualname__}.{name}" for name in wrong]
        return [f"{owner.__name__}.{name}" for name in wrong]


def is_ours(method: Any) -> bool:
    """Return whether it is what this package has put around a method of others."""
    # By its type first: wrappers that others make out of objects say that they are equal.
    return type(method) is types.FunctionType and method in OURS


def any_of(groups: Iterable[Parts]) -> bool:
    """Return whether any of their parts is not as ever."""
    # A generator expression takes longer than the looking.
    for group in groups:  # noqa: SIM110
        if group.replaced():
            return True
    return False


# What a connection is made with.
CONNECTING = [
    Parts(connection.HTTPConnection, connection, "_new_conn"),
    Parts(
        connecting,
        connecting,
        *("create_connection", "allowed_gai_family", "_set_socket_options"),
    ),
]
# Who makes a connection, and who gives a pool's connections out.
MAKING = [
    Parts(connection.HTTPConnection, connection, "connect"),
    Parts(connection.HTTPSConnection, connection, "connect", "_connect_tls_proxy"),
    Parts(HTTPConnectionPool, connectionpool, "_get_conn", "_new_conn"),
    Parts(HTTPSConnectionPool, connectionpool, "_new_conn"),
]
# What is said through it with TLS, which our sockets say in a way of their own.
TLS = Parts(
    ssl.SSLSocket, ssl, "do_handshake", "read", "write", "recv", "recv_into", "send", "sendall"
)
# Who is given the headers of a request on their way.
SENDING = Parts(HTTPConnectionPool, connectionpool, "urlopen", "_make_request")
# How the headers of a request are written down.
WRITING = [
    Parts(connection.HTTPConnection, connection, "request", "putrequest", "putheader"),
    Parts(http.client.HTTPConnection, http.client, "putheader", "_output", "endheaders"),
]
# How answers begin.
HEADS = [
    Parts(http.client.HTTPResponse, http.client, "begin", "_read_status", "_check_close"),
    Parts(http.client, http.client, "parse_headers", "_read_headers"),
]
# What urllib3 and the standard library do besides, and a client of Tornado in another way.
BESIDES = [
    Parts(
        connection.HTTPConnection,
        connection,
        *("__init__", "request", "getresponse", "putrequest", "putheader", "close"),
    ),
    Parts(connection.HTTPConnection, http.client, "endheaders", "send"),
    Parts(HTTPConnectionPool, connectionpool, "_put_conn"),
    Parts(
        http.client.HTTPConnection,
        http.client,
        *("__init__", "putrequest", "putheader", "endheaders", "send", "getresponse", "close"),
        *("_send_output", "_encode_request", "_validate_path", "_validate_host"),
    ),
    Parts(connectionpool, connecting, "is_connection_dropped"),
    Parts(connection, response, "assert_header_parsing"),
    Parts(socket.socket, socket, "makefile"),
    Parts(http.client.HTTPResponse, http.client, "read", "read1", "readinto"),
    Parts(connection, ssl_, "create_urllib3_context", "ssl_wrap_socket"),
    Parts(connection, ssl_, "resolve_cert_reqs", "resolve_ssl_version"),
    Parts(connection, ssl_match_hostname, "match_hostname"),
]
HEADERS = http.client.HTTPMessage
LOOKUP = Parts(socket, socket, "getaddrinfo")

# Of a plain socket, what is written in C.
_talking = operator.attrgetter("send", "sendall", "recv", "recv_into", "settimeout")
_MAKEFILE = socket.socket.makefile
MAX_HEADERS, MAX_LINE = 100, 65536
HTTP = "HTTP/1.1"
SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


# The numbers that urllib3 makes a TLS context from, which somebody may have changed.
_numbers = operator.attrgetter(
    *(
        name
        for name in ssl_.create_urllib3_context.__code__.co_names
        if isinstance(vars(ssl_).get(name), int)
    )
)


def settings_of_tls() -> tuple[Any, ...]:
    """Return what a TLS context comes from, besides what is asked of it."""
    return (*_numbers(ssl_), ssl.SSLContext, *vars(ssl.SSLContext).items())


_SETTINGS = settings_of_tls()


def replaced() -> list[str]:
    """Return the names of the parts that are not as ever, of what a connection is made with."""
    found = [name for group in CONNECTING for name in group.replaced()]
    if socket.socket.__module__ != "socket":
        found.append("socket.socket")
    elif socket.socket.connect is not _socket.socket.connect:
        found.append("socket.socket.connect")
    return found


def lookup_is_replaced() -> bool:
    """Return whether `socket.getaddrinfo` is not as ever."""
    return bool(LOOKUP.replaced())


def talking_is_replaced(*, tls: bool) -> bool:
    """Return whether sockets are doubles of such, or talk in a way that somebody has replaced.

    Args:
        tls: whether they talk with TLS.
    """
    kind: Any = socket.socket
    if not isinstance(kind, type):
        return True
    try:
        if not all(map(operator.is_, _talking(kind), _talking(_socket.socket))):
            return True
    except AttributeError:
        return True
    if not tls:
        return False
    if ssl_.SSLContext is not ssl.SSLContext:
        # pyOpenSSL's.
        return True
    # Another class may be in the place of both.
    return not _is_of(ssl, ssl.SSLContext.wrap_socket) or bool(TLS.replaced())


def talks_plainly(kind: type) -> bool:
    """Return whether a class of sockets sends and receives as plain sockets do."""
    try:
        return (
            all(map(operator.is_, _talking(kind), _talking(_socket.socket)))
            and kind.makefile is _MAKEFILE  # type: ignore[attr-defined]
        )
    except AttributeError:
        return False


def heads_are_replaced() -> bool:
    """Return whether somebody has replaced how answers begin, or how much may stand there."""
    # Private names, which a later Python may not have.
    most = getattr(http.client, "_MAXHEADERS", MAX_HEADERS)
    longest = getattr(http.client, "_MAXLINE", MAX_LINE)
    return (
        (most, longest) != (MAX_HEADERS, MAX_LINE)
        or http.client.HTTPMessage is not HEADERS
        or any_of(HEADS)
    )


def anything_is_replaced(*, tls: bool) -> bool:
    """Return whether one of all these is not as ever; for who sends without urllib3."""
    return (
        any_of(BESIDES)
        or bool(replaced())
        or heads_are_replaced()
        or lookup_is_replaced()
        or talking_is_replaced(tls=tls)
        or (tls and settings_of_tls() != _SETTINGS)
        or connection.HTTPConnection.response_class is not http.client.HTTPResponse
        or connection.HTTPConnection.debuglevel != 0
        # A private name, which a later Python may not have.
        or getattr(http.client.HTTPConnection, "_http_vsn_str", HTTP) != HTTP
        or connection.HTTPConnection.default_socket_options != SOCKET_OPTIONS
        or _has_ipv6() != connecting.HAS_IPV6
    )


def _is_of(module: types.ModuleType, function: Any) -> bool:
    if is_ours(function):
        function = function.__wrapped__
    # A decorator copies the names of what it wraps, and cannot copy this. An object that
    # stands for a function may have all of it, and is of another type.
    return type(function) is types.FunctionType and function.__globals__ is vars(module)


@functools.cache
def _has_ipv6() -> bool:
    # Looked up by name: what somebody has set is what is asked for.
    return connecting._has_ipv6("::1")
