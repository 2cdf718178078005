"""Sockets with TLS that yield to the event loop, in the handshake too."""

from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

import tornalet

from ..outside import Outside
from ..threads import wait_for_thread
from .polite import PoliteSocket

T = TypeVar("T")


class PoliteTLSSocket(ssl.SSLSocket, PoliteSocket):  # type: ignore[misc]
    """A TCP socket with TLS that yields to the loop, in the handshake too."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, see `ssl.SSLSocket.do_handshake`."""
        if block and self._seconds == 0:
            self.settimeout(None)
            try:
                self.do_handshake()
            finally:
                self.settimeout(0.0)
        else:
            self._retried(super().do_handshake, "handshake")

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002
        """Receive, see `ssl.SSLSocket.read`."""
        had_tls = self._sslobj is not None  # type: ignore[attr-defined]
        try:
            return self._retried(super().read, "read", len, buffer)
        except ValueError:
            # While this has waited somebody has ended the connection, as with `shutdown`. Who
            # waits in the system is told of the end.
            if had_tls and self._sslobj is None:  # type: ignore[attr-defined]
                return b"" if buffer is None else 0
            raise

    def write(self, data: Any) -> int:
        """Send some of it, see `ssl.SSLSocket.write`."""
        return self._retried(super().write, "write", data)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send some of it, see `ssl.SSLSocket.send`."""
        return self._retried(super().send, "write", data, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file, see `ssl.SSLSocket.sendfile`."""
        return PoliteSocket.sendfile(self, file, offset, count)

    def unwrap(self) -> socket.socket:
        """End TLS, and not the connection, see `ssl.SSLSocket.unwrap`."""
        return self._retried(super().unwrap, "shutdown")

    def _retried(self, call: Callable[..., T], what: str, *args: Any) -> T:
        self._take_turns()
        deadline = self._deadline()
        while True:
            try:
                return call(*args)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                if self._seconds == 0:
                    raise
                for_writing = isinstance(error, ssl.SSLWantWriteError)
            self._wait(for_writing, deadline, f"The {what} operation timed out")


class PoliteContext:
    """A wrapper around a TLS context, whose sockets yield to the loop.

    The context itself is not changed: it may make other sockets for others.

    Args:
        context: an `ssl.SSLContext`, or what others have in its place.
        outside: what a socket does outside of a greenlet, see `setup_session`.
        is_shared: whether it has the authorities that it is to trust already.
    """

    def __init__(self, context: Any, outside: Outside, *, is_shared: bool = False) -> None:
        """Wrap a context."""
        self.__dict__.update(_context=context, _outside=outside, _is_shared=is_shared)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._context, name, value)

    def load_verify_locations(self, *args: Any, **kwargs: Any) -> None:
        """Trust these, see `ssl.SSLContext.load_verify_locations`."""
        if not self._is_shared:
            self._context.load_verify_locations(*args, **kwargs)

    def wrap_socket(
        self, sock: socket.socket, do_handshake_on_connect: bool = True, **options: Any
    ) -> ssl.SSLSocket:
        """Begin TLS on a connected socket, see `ssl.SSLContext.wrap_socket`.

        Raises:
            RuntimeError: the sockets of this context would block the event loop.
        """
        if tornalet.can_wait() and not isinstance(self._context, ssl.SSLContext):
            raise blocks(self._context)
        wrap = functools.partial(self._context.wrap_socket, **options)
        if _shakes_hands_itself(self._context):
            tls = self._with_its_own_handshake(sock, wrap)
        else:
            tls = self._polite(wrap(sock, do_handshake_on_connect=False))
            try:
                if do_handshake_on_connect:
                    tls.do_handshake()
            except BaseException:
                tls.close()
                raise
        return tls

    def _with_its_own_handshake(
        self, sock: socket.socket, wrap: Callable[[socket.socket], ssl.SSLSocket]
    ) -> ssl.SSLSocket:
        # Its handshake knows blocking sockets only, so it gets one.
        plain = socket.socket(sock.family, sock.type, sock.proto, sock.detach())

        def shake_hands() -> ssl.SSLSocket:
            try:
                plain.settimeout(sock.gettimeout())
                return wrap(plain)
            except BaseException:
                plain.close()
                raise

        if not tornalet.can_wait():
            return shake_hands()
        try:
            tls = wait_for_thread(shake_hands, if_too_late=lambda tls: tls.close())
        except Exception:
            # There may have been no thread.
            plain.close()
            raise
        if _talks_as_ever(type(tls)):
            return self._polite(tls)
        tls.close()
        raise blocks(self._context)

    def _polite(self, tls: ssl.SSLSocket) -> PoliteTLSSocket:
        seconds = tls.gettimeout()
        # The context is not to be told of another class, so it has made a plain one. The two
        # classes differ in methods only.
        try:
            tls.__class__ = PoliteTLSSocket
        except TypeError:
            # Its class has slots of its own.
            tls.close()
            raise blocks(self._context) from None
        assert isinstance(tls, PoliteTLSSocket)
        tls.outside = self._outside
        tls._never_block()
        tls.settimeout(seconds)
        return tls


def blocks(context: Any) -> RuntimeError:
    """Return what to raise for a TLS context whose sockets cannot wait on the loop."""
    return RuntimeError(
        f"a socket of {type(context).__name__} would block the event loop: give "
        "this session an ssl.SSLContext, or use it on another thread"
    )


def yields(context: Any) -> bool:
    """Return whether sockets of a TLS context can yield to the loop; None is none given."""
    if context is None:
        return True
    if not isinstance(context, ssl.SSLContext):
        return False
    kind = context.sslsocket_class
    # With slots it could not be made one of ours.
    return kind.__basicsize__ == ssl.SSLSocket.__basicsize__ and _talks_as_ever(kind)


def _talks_as_ever(kind: Any) -> bool:
    """Return whether a class of sockets reads and writes as `ssl.SSLSocket` does."""
    names = ("read", "write", "recv", "recv_into", "send", "sendall")
    return issubclass(kind, ssl.SSLSocket) and all(
        getattr(kind, name) is getattr(ssl.SSLSocket, name) for name in names
    )


def _shakes_hands_itself(context: Any) -> bool:
    """Return whether a context has a handshake of its own, as those that verify have."""
    return (
        not isinstance(context, ssl.SSLContext)
        or type(context).wrap_socket is not ssl.SSLContext.wrap_socket
        or context.sslsocket_class is not ssl.SSLSocket
    )
