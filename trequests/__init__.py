"""Libraries that use requests wait for Tornado's loop, without a change to them."""

from .engines.clients.adapter import TornadoAdapter
from .engines.sockets.adapter import SocketsAdapter
from .sessions import setup_session
from .setups import ENGINES

__all__ = ["ENGINES", "SocketsAdapter", "TornadoAdapter", "setup_session"]
