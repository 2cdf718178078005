"""Libraries that use requests wait for Tornado's loop, without a change to them."""

from . import known as known  # before the engines, which need what it looks at
from .engines.clients.adapter import TornadoAdapter
from .engines.outside import must_wait
from .engines.sockets.adapter import SocketsAdapter
from .sessions import setup_session
from .setups import ENGINES

__all__ = ["ENGINES", "SocketsAdapter", "TornadoAdapter", "must_wait", "setup_session"]
