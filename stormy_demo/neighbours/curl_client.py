"""Tornado's other HTTP client, on libcurl: open for as long as a block lasts.

It keeps its connections, goes through proxies, and speaks HTTP/2 where libcurl was built with
it. `fetch` is that of every client of Tornado::

    with curl_client() as client:
        response = await client.fetch(url, proxy_host="127.0.0.1", proxy_port=8890)

What `fetch` has no argument for is an option of libcurl. Last of all, Tornado calls the
`prepare_curl_callback` of a request with the handle on which to set it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import Any

from tornado.gen import is_coroutine_function
from tornado.httpclient import HTTPError, HTTPRequest, HTTPResponse

try:
    import pycurl
    from tornado.curl_httpclient import CurlAsyncHTTPClient
except ImportError as error:
    raise ImportError(
        f"Tornado asks libcurl through pycurl, which cannot be imported: {error}. "
        "Install it with: pip install pycurl",
        name=error.name,
    ) from error

# Not every libcurl has been built with it.
HAS_HTTP2 = bool(pycurl.version_info()[4] & pycurl.VERSION_HTTP2)


class ClosableClient(CurlAsyncHTTPClient):
    """The client of Tornado, which may be closed while requests are under way."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Begin with nothing under way."""
        super().initialize(*args, **kwargs)
        self._under_way: set[asyncio.Future[HTTPResponse]] = set()

    def fetch(self, *args: Any, **kwargs: Any) -> asyncio.Future[HTTPResponse]:
        """Ask, as every client of Tornado does."""
        answer = super().fetch(*args, **kwargs)
        self._under_way.add(answer)
        answer.add_done_callback(self._under_way.discard)
        return answer

    def fetch_impl(
        self, request: HTTPRequest, callback: Callable[[HTTPResponse], None]
    ) -> None:
        """Begin a request, of which nobody hears any more once the client is closed."""
        told = request.streaming_callback

        def tell(piece: bytes) -> None:
            # Tornado hands it on in a later turn of the loop.
            if told and not self._closed:
                told(piece)

        # It refuses a coroutine, and has to see it for that.
        if told and not (iscoroutinefunction(told) or is_coroutine_function(told)):
            request.streaming_callback = tell
        super().fetch_impl(request, callback)

    def close(self) -> None:
        """Close all connections; requests under way fail with a 599."""
        if self._closed:
            return
        super().close()
        # Tornado has put off libcurl's timer by now, but closing sets it once more.
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
        # Otherwise those who wait would wait for ever.
        for answer in [each for each in self._under_way if not each.done()]:
            answer.set_exception(HTTPError(599, "The client was closed"))
            # So nobody complains of it where nobody waits.
            answer.exception()


@contextmanager
def curl_client(**defaults: Any) -> Iterator[CurlAsyncHTTPClient]:
    """Open a client of its own, and close it with all its connections.

    Args:
        **defaults: what each `fetch` is given unless it says otherwise, such as `proxy_host`.

    Yields:
        The client, with ten requests under way at most, as every client of Tornado.

    Raises:
        TypeError: a request has no such thing, or Tornado takes no default for it, as for
            `method` and `headers`.
    """
    # Tornado takes a default where a request says nothing, and silently no other.
    says_nothing = HTTPRequest("http://127.0.0.1/")
    for name in defaults:
        if getattr(says_nothing, name, "") is not None:
            raise TypeError(f"curl_client() takes no default for {name!r}")
    client = ClosableClient(force_instance=True, defaults=defaults)
    try:
        yield client
    finally:
        client.close()
