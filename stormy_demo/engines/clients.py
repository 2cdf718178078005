"""The engines "simple" and "curl": requests over Tornado's own HTTP clients.

The request goes to an `AsyncHTTPClient`, and what comes back is dressed as urllib3 would have
it. What these clients cannot do is refused, and the engine that can is named.
"""

from __future__ import annotations

import io
import ssl
from email.message import Message
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy, urldefragauth
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.iostream import UnsatisfiableReadError
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient
from urllib3 import HTTPHeaderDict, Timeout
from urllib3 import HTTPResponse as RawResponse

from .. import tornalet
from .outside import Outside, checked, tell

CLIENTS = ("simple", "curl")

# From libcurl's list of error codes.
CURL_TIMED_OUT = 28
CURL_TLS_ERRORS = {35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91}


class TornadoAdapter(HTTPAdapter):
    """Send through Tornado's HTTP client, and let the event loop go on meanwhile.

    An answer is read whole before it is given, with `stream=True` too, and may have 100 MB.

    Args:
        engine: "simple" or "curl", Tornado's two HTTP clients.
        outside: what to do on the loop's thread where nobody can wait, see `setup_session`.

    Raises:
        ValueError: there is no such engine, or `outside` is something else.
        ImportError: the curl engine needs pycurl, which is not installed.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "engine", "outside"]  # noqa: RUF012

    # Sessions may outlive the setup that mounted this. It then does what requests does.
    undone = False

    def __init__(self, engine: str = "simple", outside: Outside = "warn") -> None:
        """Get ready for any number of sessions, loops and threads."""
        if engine not in CLIENTS:
            raise ValueError(f"the engine is one of {', '.join(CLIENTS)}, not {engine!r}")
        self.outside = checked(outside)
        _client_class(engine)
        super().__init__()
        self.engine = engine

    def undo(self) -> None:
        """Do what requests does from now on."""
        self.undone = True

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
        if self.undone or not tornalet.can_wait():
            if not self.undone:
                tell(self.outside, f"{request.method} {request.url}")
            return super().send(request, stream, timeout, verify, cert, proxies)
        if select_proxy(request.url or "", proxies):
            raise requests.exceptions.ProxyError(
                "these engines know no proxies: mount requests' own HTTPAdapter for this host",
                request=request,
            )
        ours = _tornado_request(request, self.engine, _seconds(timeout), verify, cert)
        arrived: list[str] = []
        ours.header_callback = arrived.append
        try:
            response = tornalet.wait(_client(self.engine).fetch(ours, raise_error=False))
        except UnicodeError as error:
            raise requests.exceptions.InvalidURL(error, request=request) from error
        except (HTTPClientError, OSError, UnsatisfiableReadError) as error:
            raise _twin(error, bool(arrived))(error, request=request) from error
        return self.build_response(request, _raw_response(response))


def _client_class(engine: str) -> type[AsyncHTTPClient]:
    if engine == "simple":
        return SimpleAsyncHTTPClient
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    return CurlAsyncHTTPClient


def _client(engine: str) -> AsyncHTTPClient:
    # A client of our own: the shared one lets ten requests through, and the eleventh would wait
    # behind code that has nothing to do with it. It is kept on its loop, and so goes with it.
    clients: dict[str, AsyncHTTPClient]
    clients = vars(IOLoop.current()).setdefault("_trequests_clients", {})
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
        timeout = timeout.clone()
        timeout.start_connect()
        whole = timeout.read_timeout or 0.0
    return _at_least_a_millisecond(timeout.connect_timeout), _at_least_a_millisecond(whole)


def _at_least_a_millisecond(seconds: Any) -> float:
    # libcurl counts milliseconds, and none of them is for ever.
    return max(seconds, 0.001) if seconds else 0.0


class _BareHeaders(HTTPHeaders):
    """Headers to which Tornado's simple client adds no Content-Type of its own."""

    def __contains__(self, name: object) -> bool:
        return name == "Content-Type" or super().__contains__(name)


class _BareRequest(HTTPRequest):
    """A request that keeps its headers bare: the client copies them into plain ones."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, _BareHeaders(value) if name == "headers" else value)


def _tornado_request(
    request: requests.PreparedRequest,
    engine: str,
    seconds: tuple[float, float],
    verify: Any,
    cert: Any,
) -> HTTPRequest:
    body = _whole(request.body)
    # How the connection is used and the body is cut are between the engine and the server.
    not_ours = {"connection", "transfer-encoding"} | ({"content-length"} if body else set())
    headers = HTTPHeaders()
    for name, value in request.headers.items():
        if name.lower() not in not_ours:
            headers.add(_text(name), _text(value))
    kind = HTTPRequest
    if "content-type" not in request.headers:
        if engine == "simple":
            kind = _BareRequest
        else:
            # To libcurl an empty header is one that must not be sent.
            headers["Content-Type"] = ""

    def prepare(curl: Any) -> None:
        import pycurl

        # Or libcurl looks for one in the environment, even if the session does not trust that.
        curl.setopt(pycurl.PROXY, "")
        if body and request.method == "GET":
            # Unusual, and refused by Tornado, but some services want it.
            curl.setopt(pycurl.POSTFIELDS, body)
            curl.setopt(pycurl.CUSTOMREQUEST, "GET")

    key = None
    if cert and not isinstance(cert, str):
        cert, key = cert
    return kind(
        urldefragauth(request.url or ""),
        method=request.method or "GET",
        headers=headers,
        body=None if engine == "curl" and request.method == "GET" else body,
        connect_timeout=seconds[0],
        request_timeout=seconds[1],
        follow_redirects=False,
        # The bytes as they came: requests unpacks them itself.
        decompress_response=False,
        allow_nonstandard_methods=True,
        validate_cert=bool(verify),
        ca_certs=verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH,
        client_cert=cert or None,
        client_key=key,
        prepare_curl_callback=prepare,
    )


def _text(value: str | bytes) -> str:
    # As http.client has it, a header that is not latin-1 is a UnicodeEncodeError.
    return (value if isinstance(value, bytes) else value.encode("latin-1")).decode("latin-1")


def _whole(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    if hasattr(body, "read"):
        body = [body.read()]
    return b"".join(part.encode() if isinstance(part, str) else part for part in body)


def _raw_response(response: HTTPResponse) -> RawResponse:
    headers = HTTPHeaderDict()
    # The cookie jar reads the headers of http.client, which are an e-mail's.
    message = Message()
    for name, value in response.headers.get_all():
        # That one is Tornado's own: where its curl client keeps the reason phrase.
        if name != "X-Http-Reason":
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


def _twin(error: Exception, in_the_body: bool) -> type[requests.RequestException]:
    """Return what requests would have raised for an error of Tornado's clients.

    Args:
        error: what the client raised.
        in_the_body: whether the headers of the answer had come.
    """
    curl_error = getattr(error, "errno", 0) if isinstance(error, HTTPClientError) else 0
    if isinstance(error, HTTPTimeoutError) or curl_error == CURL_TIMED_OUT:
        if in_the_body:
            return requests.ConnectionError
        connecting = "during request" not in str(error) and "Operation" not in str(error)
        return requests.ConnectTimeout if connecting else requests.ReadTimeout
    if isinstance(error, ssl.SSLError) or curl_error in CURL_TLS_ERRORS:
        return requests.exceptions.SSLError
    if in_the_body:
        return requests.exceptions.ChunkedEncodingError
    return requests.ConnectionError
