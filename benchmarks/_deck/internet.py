"""A server that stands in for the internet, and a browser that asks nobody else.

The browser takes each host name for this machine. So it asks for everything as it would
anywhere, by HTTPS, and nothing leaves the machine. No real internet is as fast: no name has to
be looked up, no answer is far away, and each is in memory, compressed. What no package has is
refused at once.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from slides.looking.browser import chromium

from .._shared import LOCALHOST
from .packages import Mirror, file_at

# The types of what is sent compressed. Whatever else there were would be fonts.
COMPRESSED = {".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript"}


@dataclass
class Internet:
    """What can be fetched from outside, and what was.

    Attributes:
        mirrors: where the files are.
        delay: how many seconds later than it could each answer is given.
        sizes: the bytes of each answer, by its address; None where it was refused.
        cpu: seconds of processor time that the server has used.
        bodies: what goes over the wire, for each file that was asked for.
    """

    mirrors: list[Mirror]
    delay: float = 0.0
    sizes: dict[str, int | None] = field(default_factory=dict)
    cpu: float = 0.0
    bodies: dict[Path, bytes] = field(default_factory=dict)

    def read(self, path: Path) -> bytes:
        """Return what goes over the wire for a file."""
        if path not in self.bodies:
            data = path.read_bytes()
            self.bodies[path] = gzip.compress(data) if path.suffix in COMPRESSED else data
        return self.bodies[path]


class Outside(RequestHandler):
    """Answers for every host and every path."""

    def initialize(self, internet: Internet) -> None:
        """Take what there is to fetch."""
        self.internet = internet

    def compute_etag(self) -> None:
        """Spare the server a digest of each answer."""

    async def get(self) -> None:
        """Give the file of a package, or refuse."""
        internet = self.internet
        if internet.delay:
            await asyncio.sleep(internet.delay)
        address = self.request.full_url()
        path = file_at(address, internet.mirrors)
        # A page that was opened as a file is of another origin than every address.
        self.set_header("Access-Control-Allow-Origin", "*")
        if path is None:
            self.set_status(404)
            internet.sizes[address] = None
        else:
            data = internet.read(path)
            self.set_header(
                "Content-Type", COMPRESSED.get(path.suffix, "application/octet-stream")
            )
            self.set_header("Cache-Control", "public, max-age=31536000")
            if path.suffix in COMPRESSED:
                self.set_header("Content-Encoding", "gzip")
            self.write(data)
            internet.sizes[address] = len(data)

    def on_finish(self) -> None:
        """Note how much processor time the thread of the server has used."""
        self.internet.cpu = time.thread_time()


@contextmanager
def served(internet: Internet) -> Iterator[tuple[int, str]]:
    """Serve the internet, on a thread of its own.

    Yields:
        The port, and the digest of the server's key, which a browser can be told to trust.
    """
    issued = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert(
        LOCALHOST, key_type=trustme.KeyType.ECDSA
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(context)
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    [sock] = bind_sockets(0, LOCALHOST)
    started, ended = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        app = Application(
            [(".*", Outside, {"internet": internet})], log_function=lambda _: None
        )
        server = HTTPServer(app, ssl_options=context)
        server.add_sockets([sock])
        loops.append(asyncio.get_running_loop())
        started.set()
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait()
    try:
        yield sock.getsockname()[1], base64.b64encode(hashlib.sha256(key).digest()).decode()
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join()


@contextmanager
def browser_in(internet: Internet) -> Iterator[Browser]:
    """Start a Chromium that has no other internet.

    Raises:
        NoBrowser: there is none on this machine.
    """
    with (
        served(internet) as (port, key),
        chromium(
            f"--host-resolver-rules=MAP *:443 {LOCALHOST}:{port}, MAP * ~NOTFOUND",
            f"--ignore-certificate-errors-spki-list={key}",
        ) as browser,
    ):
        yield browser
