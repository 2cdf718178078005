"""gevent's own WSGI server, with all of the standard library patched, and requests.

Without `--nodelay` it is gevent as it comes: an answer may wait for an acknowledgement.
"""

from __future__ import annotations

from typing import Any

from .starting import announce, listen, need, options, until_stopped


def main() -> None:
    """Serve until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--nodelay", action="store_true", help="set TCP_NODELAY")
    given = parser.parse_args()
    need("gevent")
    from gevent import monkey  # type: ignore[import-untyped]

    # Before anything of it is imported: the application brings requests.
    monkey.patch_all()
    import socket

    from gevent.pywsgi import WSGIServer  # type: ignore[import-untyped]

    from .on_gevent import polite, until_told
    from .wsgi_app import make_app

    class WithoutDelay(WSGIServer):  # type: ignore[misc]
        def handle(self, client: Any, address: Any) -> None:
            # gevent sends the headers and the body apart. Without this, the body is held back
            # until the client has acknowledged the headers, which clients put off.
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            super().handle(client, address)

    kind = WithoutDelay if given.nodelay else WSGIServer
    server = kind(polite(listen(given.port)), make_app(given.upstream), log=None)
    server.start()
    announce(server.server_port)
    until_stopped(lambda: until_told(server))


if __name__ == "__main__":
    main()
