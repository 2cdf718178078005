"""Run an application that blocks, as those of WSGI do, in threads of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from loopfilm import LOCALHOST

from ..missing_parts import missing_part

try:
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
except ImportError as error:
    raise missing_part(error) from error

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Seconds between two looks at whether the server is to end.
POLL = 0.05


@contextmanager
def running_wsgi(app: WSGIApplication) -> Iterator[str]:
    """Run an application in a thread for each request, for as long as the block lasts.

    It listens on 127.0.0.1, on a port that the system picks. At the end of the block all
    connections are closed, and all threads have ended.

    Args:
        app: the application.

    Yields:
        Its address, such as "http://127.0.0.1:40123".
    """
    server = _Server(LOCALHOST, 0, app, _Quiet)
    thread = threading.Thread(
        target=server.serve_forever, args=(POLL,), name="WSGI", daemon=True
    )
    thread.start()
    try:
        yield f"http://{LOCALHOST}:{server.port}"
    finally:
        server.shutdown()
        thread.join()


class _Server(ThreadedWSGIServer):
    # Only those that are no daemons are waited for.
    daemon_threads = False

    def __init__(self, *args: Any) -> None:
        self.connections: WeakSet[socket.socket] = WeakSet()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        # A client that has sent half a request, and stays, would keep its thread for ever.
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing: the addresses that it would log have codes and tokens in them."""
