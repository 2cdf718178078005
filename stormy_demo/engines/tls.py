"""Sockets with TLS that yield to the event loop, in the handshake too."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from .outside import Outside
from .polite import Polite

T = TypeVar("T")


class PoliteTLSSocket(ssl.SSLSocket, Polite):
    """A TCP socket with TLS that yields to the loop, in the handshake too."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, see `ssl.SSLSocket.do_handshake`."""
        deadline = self._deadline()
        while True:
            try:
                return super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                self._wait(isinstance(error, ssl.SSLWantWriteError), deadline)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002
        """Receive, see `ssl.SSLSocket.read`."""
        return self._once_ready(super().read, len, buffer)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send some of it, see `ssl.SSLSocket.send`."""
        return self._once_ready(super().send, data, flags)

    def _once_ready(self, call: Callable[..., T], *args: Any) -> T:
        deadline = self._deadline()
        while True:
            try:
                return call(*args)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                self._wait(isinstance(error, ssl.SSLWantWriteError), deadline)


class PoliteContext:
    """An `ssl.SSLContext` whose sockets yield to the loop.

    It stands before the real one, which may be shared with sockets that shall stay as they are.

    Args:
        context: the real one.
        outside: what a socket does where nobody can wait for it.
    """

    def __init__(self, context: ssl.SSLContext, outside: Outside) -> None:
        """Stand before a context."""
        self.__dict__.update(_context=context, _outside=outside)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._context, name, value)

    def wrap_socket(self, sock: socket.socket, **options: Any) -> PoliteTLSSocket:
        """Begin TLS on a connected socket, see `ssl.SSLContext.wrap_socket`."""
        options["do_handshake_on_connect"] = False
        tls: PoliteTLSSocket = PoliteTLSSocket._create(  # type: ignore[attr-defined]
            sock, context=self._context, **options
        )
        tls.outside = self._outside
        tls._never_block()
        try:
            tls.do_handshake()
        except BaseException:
            tls.close()
            raise
        return tls
