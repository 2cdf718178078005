"""A forward proxy: it asks in the place of its clients, and keeps a list of what they asked.

    python -m stormy_demo.neighbours.counterparts.forward_proxy --port=8890 --password=secret
    curl -x http://ada:secret@127.0.0.1:8890 http://127.0.0.1:8889/

Its clients send it whole addresses. It reaches no other machine, and does no CONNECT, by which
a proxy lets bytes pass that it cannot read. A client that leaves ends nothing: Tornado's client
goes on asking, for as long as the proxy has patience.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import sys
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from string import punctuation
from urllib.parse import quote, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.iostream import UnsatisfiableReadError
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient
from tornado.web import Application
from tornado.web import HTTPError as Refused

from stormy_demo.batteries.small_bodies import SmallBodies
from stormy_demo.program import main
from stormy_demo.sentences import SentenceHandler

USER = "ada"
LARGEST = 1_000_000  # bytes of an answer
MOST_KEPT = 100  # addresses
MOST_AT_ONCE = 100

# What a message says for the next hop alone, or what each hop makes anew.
OF_ONE_HOP = {
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Proxy:
    """What a proxy knows.

    Args:
        password: what Ada has to say; if it is empty, everybody may come.
        patience: seconds for an answer.

    Attributes:
        app: the application, for `running`.
        asked: the method and the address of what was asked last, in its order.
    """

    def __init__(self, password: str = "", patience: float = 20.0) -> None:
        """Begin with an empty list."""
        self.patience = patience
        self.asked: deque[str] = deque(maxlen=MOST_KEPT)
        self.client: AsyncHTTPClient
        self._secret = b64encode(f"{USER}:{password}".encode()).decode() if password else ""
        self.app = SmallBodies(
            [(r".*", ProxyHandler)], lane=None, proxy=self, while_running=self.open
        )

    @contextmanager
    def open(self) -> Iterator[None]:
        """Have a client while the block lasts."""
        # libcurl would ask the proxy that the environment names, and that may be this one.
        self.client = SimpleAsyncHTTPClient(
            force_instance=True, max_clients=MOST_AT_ONCE, max_body_size=LARGEST
        )
        try:
            yield
        finally:
            self.client.close()

    def lets_in(self, credentials: str) -> bool:
        """Say whether somebody may come.

        Args:
            credentials: what the header Proxy-Authorization says.
        """
        kind, _, secret = credentials.partition(" ")
        is_right = hmac.compare_digest(secret.strip().encode(), self._secret.encode())
        return not self._secret or (kind.lower() == "basic" and is_right)

    async def ask(self, request: HTTPServerRequest) -> HTTPResponse:
        """Ask what a client wants to know.

        Args:
            request: that of the client, with a whole address.

        Raises:
            Refused: a 400 or 404 for what is no whole address, a 403 for another machine, a 502
                or a 504 for a server that does not answer.
        """
        address = _on_this_machine(str(request.uri))
        self.asked.append(f"{request.method} {address}")
        answer = self.client.fetch(
            address,
            method=str(request.method),
            headers=_for_the_next_hop(request.headers),
            body=request.body if request.body or request.method != "GET" else None,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            decompress_response=False,
            connect_timeout=self.patience,
            request_timeout=self.patience,
            raise_error=False,
        )
        # A handler that is stopped meanwhile does not hear of it, and the log need not.
        answer.add_done_callback(lambda answer: answer.exception())
        await asyncio.wait([answer])
        try:
            return answer.result()
        except HTTPError as error:
            status = 504 if isinstance(error, HTTPTimeoutError) else 502
            raise Refused(status, "That server gives no answer") from None
        except (OSError, ValueError, UnsatisfiableReadError) as error:
            raise Refused(502, "That server cannot be asked") from error


def _on_this_machine(uri: str) -> str:
    if uri.startswith("/"):
        raise Refused(404, "There is nothing here: ask a proxy for a whole address")
    try:
        place = urlsplit(uri)
        is_whole = place.scheme == "http" and place.port != 0 and "@" not in place.netloc
    except ValueError:
        is_whole = False
    if not is_whole:
        raise Refused(400, "This is no address such as http://127.0.0.1:8889/")
    if place.hostname != "127.0.0.1":
        raise Refused(403, "This proxy asks 127.0.0.1, and nobody else")
    # Tornado has made a letter of each byte, and would send some of them as two.
    return quote(uri, safe=punctuation, encoding="latin-1")


def _for_the_next_hop(headers: HTTPHeaders) -> HTTPHeaders:
    """Leave out what was meant for this hop."""
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    kept = HTTPHeaders()
    for name, value in headers.get_all():
        if name.lower() not in OF_ONE_HOP | named:
            kept.add(name, value)
    return kept


class ProxyHandler(SentenceHandler):
    """One request, whatever its method and its address."""

    def prepare(self) -> None:
        """Refuse who does not know the password."""
        proxy: Proxy = self.settings["proxy"]
        if not proxy.lets_in(self.request.headers.get("Proxy-Authorization", "")):
            self.set_header("Proxy-Authenticate", 'Basic realm="proxy"')
            self.set_status(407)
            self.finish({"error": "Say who you are"})

    async def get(self) -> None:
        """Answer with what the server answers."""
        proxy: Proxy = self.settings["proxy"]
        response = await proxy.ask(self.request)
        self.clear()
        self.set_status(response.code, response.reason)
        headers = _for_the_next_hop(response.headers)
        for name in {*headers, "Server", "Date", "Content-Type"}:
            self.clear_header(name)
        for name, value in headers.get_all():
            self.add_header(name, value)
        if self.request.method == "HEAD":
            if "Content-Length" in response.headers:
                self.set_header("Content-Length", response.headers["Content-Length"])
            # Otherwise Tornado would count what was written.
            await self.flush()
        elif response.body:
            self.write(response.body)

    head = post = put = patch = delete = options = get

    def compute_etag(self) -> None:
        """Leave that to the server."""


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Let the environment of the process say this of proxies while the block lasts.

    Args:
        **variables: such as `http_proxy`. What else there was of that kind is back at the end.
    """
    before = _take_out()
    try:
        os.environ.update(variables)
        yield
    finally:
        _take_out()
        os.environ.update(before)


def forget_the_environment() -> None:
    """Let the environment of the process say nothing of proxies from now on."""
    _take_out()


def _take_out() -> dict[str, str]:
    names = [name for name in os.environ if name.lower().endswith("_proxy")]
    return {name: os.environ.pop(name) for name in names}


def make_app(password: str = "") -> Application:
    """Make a proxy for the command line.

    Args:
        password: what ada has to say; empty lets everybody in.
    """
    return Proxy(password).app


if __name__ == "__main__":
    sys.exit(main(make_app))
