"""Plain code waits for an event loop: `@tornalet` in a handler, `run` and `wait` elsewhere."""

from .handlers import tornalet
from .waiting import can_wait, run, wait

__all__ = ["can_wait", "run", "tornalet", "wait"]
