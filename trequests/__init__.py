"""Libraries that use requests wait for Tornado's loop, without a change to them."""

from .engines.clients.adapter import TornadoAdapter
from .engines.sockets.adapter import SocketsAdapter
from .sessions import ENGINES, setup_session

__all__ = ["ENGINES", "SocketsAdapter", "TornadoAdapter", "setup_session"]
