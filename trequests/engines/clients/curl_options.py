"""The options of libcurl for a request."""

from __future__ import annotations

from typing import Any

import pycurl
from requests.utils import DEFAULT_CA_BUNDLE_PATH

# Headers that libcurl adds by itself, and requests does not. A name with a colon removes one.
ADDED_HEADERS = {
    f"{name.lower()}": f"{name}:"
    for name in ("Accept", "Content-Type", "Expect", "Proxy-Connection", "User-Agent")
}
LONGEST = 2**31 - 1  # milliseconds


def set_options(exchange: Any, curl: pycurl.Curl) -> None:
    """Set what libcurl is to do for an exchange.

    Args:
        exchange: the request, and what reads and writes for it.
        curl: the handle, whose other options Tornado has set.
    """
    # With 0 it would take its own default, which is five minutes.
    limit = LONGEST
    if exchange.timeout is not None:
        limit = min(max(int(exchange.timeout * 1000), 1), LONGEST)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, limit)
    # Tornado's client would write names and passwords into its log.
    curl.setopt(pycurl.VERBOSE, 0)
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    curl.setopt(pycurl.PATH_AS_IS, 1)
    # requests sends the body at once, whether it is expected or not.
    curl.setopt(pycurl.EXPECT_100_TIMEOUT_MS, 1)
    curl.setopt(pycurl.HEADERFUNCTION, exchange.header)
    curl.setopt(pycurl.WRITEFUNCTION, exchange.received)
    _body(exchange, curl)
    _proxy(exchange, curl)
    if exchange.url.startswith("https"):
        _tls(exchange, curl)


def _body(exchange: Any, curl: pycurl.Curl) -> None:
    sending = exchange.sending
    if sending.whole:
        curl.setopt(pycurl.POSTFIELDS, sending.whole)
    elif sending.pieces is not None:
        curl.setopt(pycurl.UPLOAD, 1)
        length = -1 if sending.length is None else sending.length
        curl.setopt(pycurl.INFILESIZE_LARGE, length)
        curl.setopt(pycurl.READFUNCTION, exchange.read)
        # A kept connection may turn out to be dead, and an iterator cannot be read again.
        curl.setopt(pycurl.FRESH_CONNECT, 1)
    if exchange.method not in ("GET", "HEAD") or sending.whole or sending.pieces is not None:
        curl.setopt(pycurl.CUSTOMREQUEST, exchange.method)
    has_body = sending.whole or sending.pieces is not None
    headers = [
        # A header without a value has a semicolon; with a colon only it would be removed.
        f"{name}: {value}" if value else f"{name};"
        for name, value in sending.headers
        if not (has_body and name.lower() == "content-length")
    ]
    names = {name.lower() for name, _ in sending.headers}
    headers += [line for name, line in ADDED_HEADERS.items() if name not in names]
    curl.setopt(pycurl.HTTPHEADER, "\n".join(headers).encode("latin-1").split(b"\n"))


def _proxy(exchange: Any, curl: pycurl.Curl) -> None:
    # Otherwise it looks for one in the environment, even if the session does not trust that.
    curl.setopt(pycurl.PROXY, "")
    if exchange.sock:
        peer = exchange.sock.getpeername()
        host = f"[{peer[0]}]" if ":" in peer[0] else peer[0]
        # It must not look up the server's name, which may be known to the proxy only.
        curl.setopt(pycurl.CONNECT_TO, [f"::{host}:{peer[1]}"])
        curl.setopt(pycurl.OPENSOCKETFUNCTION, lambda *_: exchange.sock)
        curl.setopt(pycurl.SOCKOPTFUNCTION, lambda *_: pycurl.SOCKOPT_ALREADY_CONNECTED)
        curl.setopt(pycurl.FRESH_CONNECT, 1)
        curl.setopt(pycurl.FORBID_REUSE, 1)
    elif exchange.proxy:
        host = exchange.proxy.host or ""
        curl.setopt(pycurl.NOPROXY, "")
        curl.setopt(pycurl.PROXY, f"{exchange.proxy.scheme}://{host}:{exchange.proxy.port}")
        if exchange.tunnels:
            lines = [f"{name}: {value}" for name, value in exchange.pool.proxy_headers.items()]
            lines += ["User-Agent:", "Proxy-Connection:"]
            curl.setopt(pycurl.PROXYHEADER, [line.encode("latin-1") for line in lines])
            curl.setopt(pycurl.HEADEROPT, pycurl.HEADER_SEPARATE)
        if exchange.proxy.scheme == "https":
            _trust(exchange.pool, curl, pycurl.PROXY_CAINFO, pycurl.PROXY_CAPATH)


def _tls(exchange: Any, curl: pycurl.Curl) -> None:
    pool = exchange.pool
    _trust(exchange.pool, curl, pycurl.CAINFO, pycurl.CAPATH)
    if pool.cert_file:
        curl.setopt(pycurl.SSLCERT, pool.cert_file)
    if pool.key_file:
        curl.setopt(pycurl.SSLKEY, pool.key_file)
    if pool.key_password:
        curl.setopt(pycurl.KEYPASSWD, pool.key_password)


def _trust(pool: Any, curl: pycurl.Curl, file: int, folder: int) -> None:
    if pool.ca_cert_dir:
        # Only the certificates of that folder: not those of the system, too.
        curl.unsetopt(file)
        curl.setopt(folder, pool.ca_cert_dir)
    else:
        curl.setopt(file, pool.ca_certs or DEFAULT_CA_BUNDLE_PATH)
