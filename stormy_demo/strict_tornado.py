"""A client of Tornado that takes what `agreed` allows, and says what all else is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import (
    HTTPStreamClosedError,
    HTTPTimeoutError,
    SimpleAsyncHTTPClient,
    _HTTPConnection,
)

from .agreed import LARGEST, BackendError, NoAnswer, OtherStatus, TooLate, is_proper

# The client of each event loop. A client refers to its loop, so even a weak dictionary would
# keep both for ever: `http_client` drops those whose loop is closed.
_clients: dict[asyncio.AbstractEventLoop, BackendClient] = {}


def http_client() -> BackendClient:
    """Return the client with which the handlers of this loop ask their backend."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        for ended in [other for other in list(_clients) if other.is_closed()]:
            _clients.pop(ended, None)
        _clients[loop] = BackendClient(force_instance=True)
    return _clients[loop]


@contextmanager
def asking() -> Iterator[None]:
    """Let a service ask for as long as the block lasts.

    A failure is told at once, and other questions of the same request are still under way. When
    the last service of the loop has stopped, nobody waits for those any more.
    """
    client = http_client()
    client.services += 1
    try:
        yield
    finally:
        client.services -= 1
        if not client.services:
            client.hang_up()


class BackendClient(SimpleAsyncHTTPClient):
    """A client whose answers have a `BackendError`, or none.

    It raises nothing: nobody would hear of that when a handler has given up. An answer raises
    its error when it is asked to, see `HTTPResponse.rethrow`.

    The client that Tornado shares sends ten requests at a time and lets the eleventh wait. This
    one belongs to the service alone, and sends a thousand at a time.
    """

    def initialize(self, **_: Any) -> None:  # type: ignore[override]
        """Follow no redirect, unpack nothing, and keep no other time than that of a request."""
        self.services = 0
        self.connections: WeakSet[_Connection] = WeakSet()
        super().initialize(
            max_clients=1000,
            max_body_size=LARGEST,
            max_buffer_size=LARGEST,
            defaults={
                "connect_timeout": 0,
                "follow_redirects": False,
                "decompress_response": False,
            },
        )

    def fetch(
        self, request: str | HTTPRequest, raise_error: bool = False, **kwargs: Any
    ) -> asyncio.Future[HTTPResponse]:
        """Send a request, see `AsyncHTTPClient.fetch`."""
        return super().fetch(request, raise_error, **kwargs)

    def fetch_impl(
        self, request: HTTPRequest, callback: Callable[[HTTPResponse], None]
    ) -> None:
        """Send a request, as all clients of Tornado do."""

        def judged(response: HTTPResponse) -> None:
            fault = _fault(response.error) if response.error else None
            if not is_proper(response.code, response.headers.get_all()):
                fault = NoAnswer()
            response.error = fault
            # Or Tornado would raise it in any case.
            response._error_is_response_code = True
            callback(response)

        super().fetch_impl(request, judged)

    def hang_up(self) -> None:
        """Close all connections, also those that are being made."""
        for connection in list(self.connections):
            # A loop that is closed by now takes no callbacks.
            with suppress(RuntimeError):
                connection.hang_up()

    def _connection_class(self) -> type:
        return _Connection


class _Connection(_HTTPConnection):
    client: BackendClient

    def run(self) -> asyncio.Task[None]:  # type: ignore[override]
        """Ask, see `_HTTPConnection.run`."""
        self.client.connections.add(self)
        self.asking = asyncio.ensure_future(super().run())
        return self.asking

    def hang_up(self) -> None:
        """Ask no longer, and tell whoever waits that there is no answer."""
        if hasattr(self, "stream"):
            self.stream.close()
        else:
            closed = HTTPStreamClosedError("Hung up")
            self._handle_exception(type(closed), closed, None)
            self.asking.cancel()

    def on_connection_close(self) -> None:
        # Tornado raises the error of a stream to nobody here, and the request would wait on.
        if self.final_callback is not None and self.stream.error:
            self._handle_exception(type(self.stream.error), self.stream.error, None)
        else:
            super().on_connection_close()


def _fault(error: BaseException) -> BackendError:
    match error:
        case HTTPTimeoutError():
            fault: BackendError = TooLate()
        case HTTPClientError(code=code) if not isinstance(error, HTTPStreamClosedError):
            fault = OtherStatus(code)
        case _:
            fault = NoAnswer()
    fault.__cause__ = error
    return fault
