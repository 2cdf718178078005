"""The world outside, on this machine: a server that has the files, and a browser that asks it.

The browser takes each name for this machine, so that it asks for all as it would anywhere, by
HTTPS, and nothing leaves. It is a better world than any: no names to look up, no way to go, and
each answer is in memory, packed. Whatever no package has is refused at once.
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

from .packages import Shelf, file_at

HERE = "127.0.0.1"
# What is sent packed, and as what; the rest, were there any, would be fonts.
PACKED = {".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript"}


@dataclass
class World:
    """What is outside, and who asked for it."""

    shelves: list[Shelf]
    # How long each answer takes longer than it would, in seconds.
    far: float = 0.0
    # The bytes of each answer; what was refused has none.
    sizes: dict[str, int | None] = field(default_factory=dict)
    cpu: float = 0.0  # seconds of processor time that the server has used
    packed: dict[Path, bytes] = field(default_factory=dict)

    def read(self, path: Path) -> bytes:
        """Return what goes over the wire for a file."""
        if path not in self.packed:
            data = path.read_bytes()
            self.packed[path] = gzip.compress(data) if path.suffix in PACKED else data
        return self.packed[path]


class Outside(RequestHandler):
    """Whatever is asked for, wherever it is said to be."""

    def initialize(self, world: World) -> None:
        """Take the world."""
        self.world = world

    def compute_etag(self) -> None:
        """Spare the server a digest of each answer."""

    async def get(self) -> None:
        """Give the file of a package, or refuse."""
        world = self.world
        if world.far:
            await asyncio.sleep(world.far)
        address = self.request.full_url()
        path = file_at(address, world.shelves)
        # The page comes from a file, which is a stranger to each address.
        self.set_header("Access-Control-Allow-Origin", "*")
        if path is None:
            self.set_status(404)
            world.sizes[address] = None
        else:
            data = world.read(path)
            self.set_header("Content-Type", PACKED.get(path.suffix, "application/octet-stream"))
            self.set_header("Cache-Control", "public, max-age=31536000")
            if path.suffix in PACKED:
                self.set_header("Content-Encoding", "gzip")
            self.write(data)
            world.sizes[address] = len(data)

    def on_finish(self) -> None:
        """Note what the server has cost."""
        self.world.cpu = time.thread_time()


@contextmanager
def served(world: World) -> Iterator[tuple[int, str]]:
    """Serve a world, on a thread of its own.

    Yields:
        The port, and the digest of the server's key, by which a browser can trust it.
    """
    issued = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert(
        HERE, key_type=trustme.KeyType.ECDSA
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(context)
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    [sock] = bind_sockets(0, HERE)
    started, ended = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        app = Application([(".*", Outside, {"world": world})], log_function=lambda _: None)
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
def browser_in(world: World) -> Iterator[Browser]:
    """Start a Chromium for which there is no other world.

    Raises:
        NoBrowser: there is none on this machine.
    """
    with (
        served(world) as (port, key),
        chromium(
            f"--host-resolver-rules=MAP *:443 {HERE}:{port}, MAP * ~NOTFOUND",
            f"--ignore-certificate-errors-spki-list={key}",
        ) as browser,
    ):
        yield browser
