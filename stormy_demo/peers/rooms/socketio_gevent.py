"""The room with python-socketio, on gevent: a few greenlets for each who is in it.

Its WebSockets are those of simple-websocket, which opens the socket of each a second time.
Where gevent-websocket is installed python-socketio takes that instead, and it has to be set up
otherwise; its last release is of 2017.
"""

from __future__ import annotations

import socket

import socketio  # type: ignore[import-untyped]
from gevent.pywsgi import WSGIServer  # type: ignore[import-untyped]

from ..on_gevent import polite, until_told
from .listening import PATIENCE, announce

# A machine that is busy for a while is no reason to send anybody away.
sio = socketio.Server(async_mode="gevent", ping_timeout=PATIENCE)


@sio.event  # type: ignore[untyped-decorator]
def say(_sid: str, text: str) -> None:
    """Tell it to everybody."""
    sio.emit("said", text)


def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    announce(listener)
    until_told(WSGIServer(polite(listener), socketio.WSGIApp(sio), log=None))
