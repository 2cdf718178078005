"""A connection is told to ask who is silent, on whatever system, and whatever it is."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from tornado.iostream import IOStream

from stormy_demo.batteries.keepalive import keep_alive


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """One end of a connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        yield client


async def test_it_asks_who_is_silent(connection: socket.socket) -> None:
    with closing(IOStream(connection)) as stream:
        keep_alive(stream)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other options")
async def test_in_two_minutes_it_is_closed(connection: socket.socket) -> None:
    with closing(IOStream(connection)) as stream:
        keep_alive(stream)

        def option(name: str) -> int:
            return connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))

        asking = option("TCP_KEEPINTVL") * option("TCP_KEEPCNT")
        assert option("TCP_KEEPIDLE") + asking == 120
        # Also if something was sent.
        assert option("TCP_USER_TIMEOUT") == 120_000


async def test_what_is_closed_is_let_alone(connection: socket.socket) -> None:
    stream = IOStream(connection)
    stream.close()
    keep_alive(stream)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no such sockets")
async def test_what_is_not_tcp_is_let_alone() -> None:
    one, other = socket.socketpair()
    with other, closing(IOStream(one)) as stream:
        keep_alive(stream)
        assert not one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
