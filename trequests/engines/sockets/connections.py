"""urllib3's connections, on sockets that yield to the event loop.

They are subclasses of its own, changed where connecting has to wait: to look the server's name
up, and in the socket.
"""

from __future__ import annotations

import _socket
import functools
import os
import socket
import ssl
import sys
from http import client
from typing import Any, cast

from urllib3 import connection
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util import connection as connecting
from urllib3.util.timeout import _DEFAULT_TIMEOUT

import tornalet

from ..others import Waiting
from ..outside import Outside, report_blocking, warned
from ..polite_queue import PoliteQueue
from ..replaced import WRITING, any_of, lookup_is_replaced, replaced, talks_plainly
from ..threads import wait_for_thread
from .contexts import find, keep, key_of
from .headers import PoliteResponse
from .polite import PoliteSocket
from .spare import makes_room
from .tls import PoliteContext
from .written import Block, written


class PoliteConnection(HTTPConnection):
    """A connection whose socket yields to the loop."""

    outside: Outside = "warn"
    # Whether a pool has given it away, and not yet got it back.
    is_taken = False

    @property
    def response_class(self) -> Any:
        """What reads an answer; if somebody has replaced Python's own, that is taken."""
        if "response_class" in vars(self):
            return vars(self)["response_class"]
        now: Any = HTTPConnection.response_class
        return PoliteResponse if now is client.HTTPResponse else now

    @response_class.setter
    def response_class(self, kind: Any) -> None:
        vars(self)["response_class"] = kind

    def __str__(self) -> str:
        # Exceptions of requests have this text.
        name = "HTTPSConnection" if isinstance(self, HTTPSConnection) else "HTTPConnection"
        return f"{name}(host={self.host!r}, port={self.port!r})"

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any
    ) -> None:
        """Send a request, see `urllib3.connection.HTTPConnection.request`."""
        if not any_of(WRITING) and self._writes_as_ever():
            headers = written(headers)
        super().request(method, url, body=body, headers=headers, **options)

    def _writes_as_ever(self) -> bool:
        kind = type(self)
        return kind.putheader is PoliteConnection.putheader and _WRITERS.isdisjoint(vars(self))

    def putheader(self, header: Any, *values: Any) -> None:
        """Write a header down, or all of them, see `written`."""
        if type(header) is Block:
            self._output(header)  # type: ignore[attr-defined]
        else:
            super().putheader(header, *values)

    def _new_conn(self) -> socket.socket:
        if replaced():
            return self._connected_by_others()
        # The same exceptions as in the original: requests has one of its own for each.
        try:
            sock = self._connected_socket()
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(
                self,
                f"Connection to {self.host} timed out. (connect timeout={self.timeout})",
            ) from error
        except OSError as error:
            raise NewConnectionError(
                self, f"Failed to establish a new connection: {error}"
            ) from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return sock

    def _connected_by_others(self) -> socket.socket:
        """Connect as urllib3 does, with what others have put in the place of its parts.

        They know blocking sockets only. So a thread connects for a greenlet.
        """
        connect = super()._new_conn
        if tornalet.can_wait():
            sock = wait_for_thread(connect, if_too_late=_close)
        else:
            if self.outside == "raise" or not warned.get():
                report_blocking(self.outside, f"connecting to {self.host}")
            sock = connect()
        is_socket = isinstance(sock, _socket.socket)
        if not is_socket:
            # It is somebody's double of one, and waits for nothing.
            return cast(socket.socket, sock)
        # TLS takes the descriptor, and asks the socket for nothing more.
        if talks_plainly(type(sock)) or isinstance(self, HTTPSConnection):
            return PoliteSocket.take_over(sock, self.outside)
        # What it says on the wire is its own affair.
        return cast(socket.socket, Waiting(sock, self.outside))

    def _new_socket(self, family: int, kind: int, protocol: int) -> PoliteSocket:
        try:
            return PoliteSocket(family, kind, protocol, outside=self.outside)
        except OSError as full:
            if not makes_room(full):
                raise
            return PoliteSocket(family, kind, protocol, outside=self.outside)

    def _connected_socket(self) -> socket.socket:
        error: OSError = OSError("getaddrinfo returns an empty list")
        timeout: Any = self.timeout
        for family, kind, protocol, _, address in _addresses(self._dns_host, self.port):
            try:
                sock = self._new_socket(family, kind, protocol)
            except OSError as unknown:
                # Such as a family of addresses that the system does not have.
                error = unknown
                continue
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                # As it is when only the time for an answer is set, and there is a proxy.
                if timeout is not _DEFAULT_TIMEOUT:
                    sock.settimeout(timeout)
                if self.source_address:
                    sock.bind(self.source_address)
                sock.connect(address)
                return sock
            except OSError as refused:
                sock.close()
                error = refused
            except BaseException:
                sock.close()
                raise
        try:
            raise error
        finally:
            # Breaks a reference cycle: its traceback refers to this frame.
            del error


# Whoever has one of these on a connection is given each header by itself.
_WRITERS = {"putrequest", "putheader", "endheaders", "_output"}


class PoliteTLSConnection(PoliteConnection, HTTPSConnection):
    """A connection with TLS whose socket yields to the loop."""

    def connect(self) -> None:
        """Connect and shake hands, see `urllib3.connection.HTTPSConnection.connect`."""
        given = self.ssl_context
        key = key_of(self) if given is None else None
        self.ssl_context = self._polite_context(given) if key is None else self._shared(key)
        try:
            super().connect()
        finally:
            # Whoever gave the context finds it unchanged.
            self.ssl_context = given

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        config = self.proxy_config
        assert config
        if config.ssl_context or not self.proxy_is_forwarding:
            context = self._polite_context(config.ssl_context)
            if not config.ssl_context and (
                self.ca_certs or self.ca_cert_dir or self.ca_cert_data
            ):
                context.load_verify_locations(
                    self.ca_certs, self.ca_cert_dir, self.ca_cert_data
                )
            self.proxy_config = config._replace(ssl_context=context)
        try:
            return super()._connect_tls_proxy(hostname, sock)
        finally:
            self.proxy_config = config

    def _shared(self, key: tuple[Any, ...]) -> Any:
        """Return a context that other connections have too, see `contexts`."""
        context = find(key)
        if context is None:
            made = self._polite_context(None)
            context = made._context
            try:
                if self.ca_certs or self.ca_cert_data:
                    context.load_verify_locations(self.ca_certs, None, self.ca_cert_data)
            except OSError:
                # urllib3 says what is wrong with it.
                return made
            keep(key, context)
        return PoliteContext(context, self.outside, is_shared=True)

    def _polite_context(self, given: Any) -> Any:
        if given is None:
            # What urllib3 would make in `connect`, where it could not be wrapped. Looked up by
            # name: somebody may have replaced it.
            parts: Any = connection
            given = parts.create_urllib3_context(
                ssl_version=parts.resolve_ssl_version(self.ssl_version),
                ssl_minimum_version=self.ssl_minimum_version,
                ssl_maximum_version=self.ssl_maximum_version,
                cert_reqs=parts.resolve_cert_reqs(self.cert_reqs),
            )
            has_own = self.ca_certs or self.ca_cert_dir or self.ca_cert_data
            # What others have put in the place of `ssl.SSLContext` need not have any.
            if not has_own and hasattr(given, "load_default_certs"):
                given.load_default_certs()
        return PoliteContext(given, self.outside)


def _addresses(host: str, port: int) -> list[Any]:
    """Return what `socket.getaddrinfo` says, without holding the loop meanwhile."""
    try:
        host.encode("idna")
    except UnicodeError:
        raise LocationParseError(f"'{host}', label empty or too long") from None
    family = connecting.allowed_gai_family()
    lookup = functools.partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
    if tornalet.can_wait():
        if lookup_is_replaced():
            # Whoever has replaced it expects what urllib3 gives it, and may block.
            return wait_for_thread(lookup, places=_lookups)
        try:
            # A numeric address is not looked up, and needs no thread.
            return lookup(flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            return wait_for_thread(lookup, places=_lookups)
    return lookup()


# At most so many names are looked up at once, each on a thread.
MAX_LOOKUPS = 64
_lookups = PoliteQueue()


def _renew_lookups() -> None:
    global _lookups
    _lookups = PoliteQueue()
    for _ in range(MAX_LOOKUPS):
        _lookups.put(None)


_renew_lookups()
if hasattr(os, "register_at_fork"):
    # A forked process has none of the threads that would give their places back.
    os.register_at_fork(after_in_child=_renew_lookups)


def _close(sock: Any) -> None:
    sock.close()
