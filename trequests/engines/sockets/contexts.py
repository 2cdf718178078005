"""TLS contexts that several connections share, since to make one takes longer than a request.

urllib3 makes one for each connection, and reads the file of authorities for each: some 16 ms in
which the loop stands still. A context is shared by connections that trust the same and ask for
the same, and only while it is as it was made: a file that has changed is read again, and a
context that somebody has changed is shared no more. It does not tell all changes: ciphers, and
a client certificate loaded there, go unnoticed.
"""

from __future__ import annotations

import _ssl
import os
import ssl
from pathlib import Path
from typing import Any

from urllib3 import connection
from urllib3.util import ssl_
from urllib3.util.ssl_ import resolve_cert_reqs

from ..replaced import Parts, any_of, settings_of_tls

# Each holds a megabyte or so.
MOST = 16
MAKING = [
    Parts(connection, ssl_, "create_urllib3_context", "ssl_wrap_socket"),
    Parts(connection, ssl_, "resolve_cert_reqs", "resolve_ssl_version"),
    Parts(connection, connection, "_ssl_wrap_socket_and_match_hostname"),
    Parts(ssl.SSLContext, ssl, "wrap_socket", "load_default_certs", "set_alpn_protocols"),
]


def key_of(conn: Any) -> tuple[Any, ...] | None:
    """Return what a connection asks of its context, or None if that is to be its own.

    Its own is one that urllib3 changes further for it, or whose authorities are looked for in a
    folder when they are needed, and remembered.

    Args:
        conn: a `urllib3.connection.HTTPSConnection` that was given no context.
    """
    if any_of(MAKING):
        return None
    reqs = resolve_cert_reqs(conn.cert_reqs)
    if (
        not (conn.ca_certs or conn.ca_cert_data or reqs == ssl.CERT_NONE)
        or conn.ca_cert_dir
        or conn.cert_file
        or conn.key_file
        or conn.assert_fingerprint
        or conn.assert_hostname is not None
        or ssl_.SSLContext is not ssl.SSLContext
        # It is written in C.
        or ssl.SSLContext.load_verify_locations is not _ssl._SSLContext.load_verify_locations
    ):
        return None
    asked = (conn.ssl_version, conn.ssl_minimum_version, conn.ssl_maximum_version, reqs)
    keys = os.environ.get("SSLKEYLOGFILE")
    try:
        file = conn.ca_certs and Path(conn.ca_certs).stat()
    except (OSError, ValueError, TypeError):
        # urllib3 says what is wrong with it.
        return None
    times = file and (file.st_mtime_ns, file.st_ctime_ns)
    state = file and (file.st_dev, file.st_ino, file.st_size, times)
    return (*settings_of_tls(), *asked, keys, conn.ca_certs, state, conn.ca_cert_data)


def find(key: tuple[Any, ...]) -> ssl.SSLContext | None:
    """Return a context that was kept, if it still is as it was made."""
    context, made = _kept.get(key, (None, None))
    return context if context is not None and _settings(context) == made else None


def keep(key: tuple[Any, ...], context: ssl.SSLContext) -> None:
    """Keep a context for other connections."""
    if type(context) is ssl.SSLContext:
        _kept.pop(key, None)
        _kept[key] = context, _settings(context)
        for oldest in list(_kept)[:-MOST]:
            _kept.pop(oldest, None)


def _settings(context: ssl.SSLContext) -> tuple[Any, ...]:
    stats = context.cert_store_stats()
    return (*(getattr(context, name, None) for name in SETTINGS), *stats.values())


SETTINGS = (
    *("verify_mode", "check_hostname", "hostname_checks_common_name", "verify_flags"),
    *("options", "minimum_version", "maximum_version", "post_handshake_auth"),
    *("keylog_filename", "sslsocket_class", "sslobject_class", "sni_callback"),
)

_kept = dict[tuple[Any, ...], tuple[ssl.SSLContext, tuple[Any, ...]]]()
