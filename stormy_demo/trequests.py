"""Let libraries that use requests wait for Tornado's loop, without a change to them.

A requests session sends through adapters, and anybody may mount another one. The adapter here
sends through Tornado's `AsyncHTTPClient` and waits with `tornalet.wait`, so that the loop does
other work meanwhile. Where it cannot wait like that it blocks, as requests does: silently on a
thread that runs no loop, since nobody is held up there; with a warning on a loop's own thread
outside a greenlet, since everybody is.
"""

from __future__ import annotations

import asyncio
import io
import ssl
import warnings
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from email.message import Message
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy, urldefragauth
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient
from urllib3 import HTTPHeaderDict, Timeout
from urllib3 import HTTPResponse as RawResponse

from . import tornalet

EVERYWHERE = ("http://", "https://")
ENGINES = ("simple", "curl")

# From libcurl's list of error codes.
CURL_TIMED_OUT = 28
CURL_TLS_ERRORS = {35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91}


class TornadoAdapter(HTTPAdapter):
    """Send through Tornado's HTTP client, and let the event loop go on meanwhile.

    An answer is read whole before it is given, with `stream=True` too.

    Args:
        engine: "simple" or "curl", Tornado's two HTTP clients.

    Raises:
        ValueError: there is no such engine.
        ImportError: the curl engine needs pycurl, which is not installed.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "engine"]

    def __init__(self, engine: str = "simple") -> None:
        if engine not in ENGINES:
            raise ValueError(f"the engine is one of {', '.join(ENGINES)}, not {engine!r}")
        _client_class(engine)
        super().__init__()
        self.engine = engine

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send one request, see `requests.adapters.BaseAdapter.send`.

        Raises:
            requests.RequestException: the twin of what Tornado's client raised.
            ValueError: the timeout is neither seconds nor a pair of them.
        """
        if not tornalet.can_wait():
            if _loop_runs_here():
                warnings.warn(
                    f"{request.method} {request.url} blocks the event loop: "
                    "it was not called underneath @tornalet",
                    RuntimeWarning,
                    stacklevel=5,
                )
            return super().send(request, stream, timeout, verify, cert, proxies)
        if select_proxy(request.url or "", proxies):
            raise requests.exceptions.ProxyError(
                "these engines know no proxies: mount requests' own HTTPAdapter for this host",
                request=request,
            )
        ours = _tornado_request(request, self.engine, _seconds(timeout), verify, cert)
        try:
            response = tornalet.wait(_client(self.engine).fetch(ours, raise_error=False))
        except (HTTPClientError, OSError) as error:
            raise _twin(error)(error, request=request) from error
        return self.build_response(request, _raw_response(response))


def setup_session(
    session: requests.Session | None = None,
    mounts: Iterable[str] | None = None,
    engine: str | None = None,
) -> ExitStack:
    """Make sessions wait politely when their caller runs underneath `@tornalet`.

    Args:
        session: the session to change; if it is left out, `requests.get()` and its like and
            every session made from now on.
        mounts: the beginnings of addresses to do this for, such as "https://api.example.org/";
            all of them if it is left out.
        engine: "simple" (if it is left out) or "curl", see `TornadoAdapter`.

    Returns:
        A context manager that undoes the setup at the end of its block. Without a block, it
        stays until the `close()` of what was returned.

    Raises:
        ValueError: there is no such engine.
        ImportError: the curl engine needs pycurl, which is not installed.
    """
    adapter = TornadoAdapter(engine or "simple")
    prefixes = EVERYWHERE if mounts is None else tuple(mounts)
    undo = ExitStack()
    if session is not None:
        for prefix in prefixes:
            undo.callback(_mount_for_now(session, prefix, adapter))
    else:
        setup = (prefixes, adapter)
        _setups.append(setup)
        requests.Session.__init__ = _init_and_mount  # type: ignore[method-assign]
        undo.callback(_forget, setup)
    return undo


_Setup = tuple[tuple[str, ...], TornadoAdapter]
_setups: list[_Setup] = []
_session_init = requests.Session.__init__


def _init_and_mount(self: requests.Session) -> None:
    _session_init(self)
    for prefixes, adapter in _setups:
        for prefix in prefixes:
            self.mount(prefix, adapter)


def _forget(setup: _Setup) -> None:
    _setups[:] = [s for s in _setups if s is not setup]
    if not _setups and requests.Session.__init__ is _init_and_mount:
        requests.Session.__init__ = _session_init  # type: ignore[method-assign]


def _mount_for_now(
    session: requests.Session, prefix: str, adapter: TornadoAdapter
) -> Callable[[], None]:
    before = session.adapters.get(prefix)
    session.mount(prefix, adapter)

    def restore() -> None:
        if session.adapters.get(prefix) is not adapter:
            return
        if before:
            session.mount(prefix, before)
        else:
            del session.adapters[prefix]

    return restore


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _client_class(engine: str) -> type[AsyncHTTPClient]:
    if engine == "simple":
        return SimpleAsyncHTTPClient
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    return CurlAsyncHTTPClient


_clients: weakref.WeakKeyDictionary[IOLoop, dict[str, AsyncHTTPClient]]
_clients = weakref.WeakKeyDictionary()


def _client(engine: str) -> AsyncHTTPClient:
    # A client of our own: the shared one lets ten requests through, and the eleventh would wait
    # behind code that has nothing to do with it.
    clients = _clients.setdefault(IOLoop.current(), {})
    if engine not in clients:
        clients[engine] = _client_class(engine)(force_instance=True, max_clients=1000)
    return clients[engine]


def _seconds(timeout: Any) -> tuple[float, float]:
    """Return the seconds for connecting and for the whole; 0 is for ever, as in Tornado.

    requests counts anew for each read, Tornado once for everything: sooner, if they differ.
    """
    if isinstance(timeout, tuple):
        try:
            connect, read = timeout
        except ValueError:
            raise ValueError(f"timeout is seconds, or (connect, read), not {timeout}") from None
        timeout = Timeout(connect=connect, read=read)
        whole = (connect or 0.0) + read if read else 0.0
    else:
        if not isinstance(timeout, Timeout):
            timeout = Timeout(connect=timeout, read=timeout)
        whole = timeout.read_timeout or 0.0
    return timeout.connect_timeout or 0.0, whole


class _Headers(HTTPHeaders):
    """Headers to which Tornado's simple client adds no Content-Type of its own."""

    def __contains__(self, name: object) -> bool:
        return name == "Content-Type" or super().__contains__(name)


def _tornado_request(
    request: requests.PreparedRequest,
    engine: str,
    seconds: tuple[float, float],
    verify: Any,
    cert: Any,
) -> HTTPRequest:
    headers = _Headers()
    for name, value in request.headers.items():
        # How the connection is used and the body is cut are between the engine and the server.
        if name.lower() not in ("connection", "transfer-encoding"):
            headers.add(_text(name), _text(value))
    if engine == "curl" and "content-type" not in request.headers:
        # To libcurl an empty header is one that must not be sent.
        headers["Content-Type"] = ""
    key = None
    if cert and not isinstance(cert, str):
        cert, key = cert
    return HTTPRequest(
        urldefragauth(request.url or ""),
        method=request.method or "GET",
        headers=headers,
        body=_whole(request.body),
        connect_timeout=seconds[0],
        request_timeout=seconds[1],
        follow_redirects=False,
        # The bytes as they came: requests unpacks them itself.
        decompress_response=False,
        allow_nonstandard_methods=True,
        validate_cert=bool(verify),
        ca_certs=verify if isinstance(verify, str) else requests.certs.where(),
        client_cert=cert or None,
        client_key=key,
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _whole(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        body = [body.read()]
    return b"".join(part.encode() if isinstance(part, str) else part for part in body)


def _raw_response(response: HTTPResponse) -> RawResponse:
    headers = HTTPHeaderDict()
    # The cookie jar reads the headers of http.client, which are an e-mail's.
    message = Message()
    for name, value in response.headers.get_all():
        headers.add(name, value)
        message[name] = value
    raw = RawResponse(
        body=io.BytesIO(response.body),
        headers=headers,
        status=response.code,
        version=11,
        reason=response.reason,
        preload_content=False,
        decode_content=False,
        request_method=response.request.method,
    )
    raw._original_response = _Original(message)  # type: ignore[assignment]
    return raw


class _Original:
    """As much of `http.client.HTTPResponse` as the cookie jar wants."""

    def __init__(self, message: Message) -> None:
        self.msg = message

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        pass


def _twin(error: Exception) -> type[requests.RequestException]:
    """Return what requests would have raised for an error of Tornado's clients."""
    curl_error = getattr(error, "errno", 0) if isinstance(error, HTTPClientError) else 0
    if isinstance(error, HTTPTimeoutError) or curl_error == CURL_TIMED_OUT:
        connecting = "connect" in str(error).lower()
        return requests.ConnectTimeout if connecting else requests.ReadTimeout
    if isinstance(error, ssl.SSLError) or curl_error in CURL_TLS_ERRORS:
        return requests.exceptions.SSLError
    return requests.ConnectionError
