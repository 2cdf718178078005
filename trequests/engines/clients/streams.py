"""For a connection of Tornado's simple client: a socket that is connected, a TLS context."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import weakref
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from urllib3.util.ssl_ import create_urllib3_context, resolve_cert_reqs

from ..sockets.tls import blocks


class ConnectedAlready(TCPClient):
    """Gives a socket that somebody else has connected, through a SOCKS proxy.

    Args:
        sock: the socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        """Keep the socket until `connect`."""
        self.sock = sock

    async def connect(
        self,
        host: str,
        port: int,
        af: socket.AddressFamily = socket.AF_UNSPEC,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        max_buffer_size: int | None = None,
        source_ip: str | None = None,
        source_port: int | None = None,
        timeout: Any = None,  # noqa: ASYNC109
    ) -> IOStream:
        """Begin TLS if that is wanted, see `tornado.tcpclient.TCPClient.connect`.

        Raises:
            TimeoutError: nobody has shaken hands in time.
        """
        stream = IOStream(self.sock, max_buffer_size=max_buffer_size)
        if ssl_options is None:
            return stream
        shaking = stream.start_tls(False, ssl_options, host)
        try:
            async with asyncio.timeout(timeout):
                return await shaking
        except TimeoutError:
            raise TimeoutError("Timeout during TLS handshake") from None
        finally:
            shaking.cancel()


def tls_context(pool: Any) -> ssl.SSLContext:
    """Return the TLS context for a pool, as urllib3 would make it for each connection.

    Raises:
        RuntimeError: it is one of another kind, which Tornado does not know.
    """
    given: ssl.SSLContext | None = pool.conn_kw.get("ssl_context")
    if given is not None:
        return _known(given)
    ca = pool.ca_certs, pool.ca_cert_dir
    if not any(ca):
        ca = (DEFAULT_CA_BUNDLE_PATH, None)
    files = (*ca, pool.cert_file, pool.key_file)
    # To load all certificates takes longer than a request, so the context is kept until one of
    # the files changes.
    key = (files, pool.key_password, str(pool.cert_reqs), *(_changed(file) for file in files))
    kept = _contexts.get(pool)
    if kept and kept[0] == key:
        return kept[1]
    context = _known(create_urllib3_context(cert_reqs=resolve_cert_reqs(pool.cert_reqs)))
    context.set_alpn_protocols(["http/1.1"])
    if context.verify_mode != ssl.CERT_NONE:
        context.load_verify_locations(*ca)
    if pool.cert_file:
        context.load_cert_chain(pool.cert_file, pool.key_file, pool.key_password)
    _contexts[pool] = (key, context)
    return context


def _known(context: Any) -> ssl.SSLContext:
    if not isinstance(context, ssl.SSLContext):
        raise blocks(context)
    return context


def _changed(file: str | None) -> int:
    return os.stat(file).st_mtime_ns if file else 0  # noqa: PTH116


_contexts = weakref.WeakKeyDictionary[Any, tuple[Any, ssl.SSLContext]]()
