"""A server that answers at once, but for one answer every few seconds, which holds its loop."""

from __future__ import annotations

import sys
import time

from tornado.web import Application, RequestHandler

from stormy_demo.program import main


class Hello(RequestHandler):
    """Says hello; now and then it holds the loop before."""

    def initialize(self, clock: Clock) -> None:
        """Keep what says when it holds the loop."""
        self.clock = clock

    def get(self) -> None:
        """Answer, sooner or later."""
        if self.clock.is_time():
            time.sleep(self.clock.hold)
        self.write("Hello, world")


class Clock:
    """Says when it is time to hold the loop.

    Args:
        hold: for how many seconds; with 0 it is never time.
        every: after how many seconds it is time again.
    """

    def __init__(self, hold: float, every: float) -> None:
        self.hold, self.every = hold, every
        self.next = time.monotonic() + every

    def is_time(self) -> bool:
        """Return whether it is, once each time."""
        now = time.monotonic()
        if not self.hold or now < self.next:
            return False
        self.next = now + self.every
        return True


def make_app(hold: float = 0.3, every: float = 2.0) -> Application:
    """Make the application.

    Args:
        hold: for how many seconds it holds its loop; with 0 it never does.
        every: after how many seconds it does so again.

    Raises:
        ValueError: one is negative.
    """
    if hold < 0 or every < 0:
        raise ValueError("seconds must not be negative")
    return Application([("/", Hello, {"clock": Clock(hold, every)})])


if __name__ == "__main__":
    sys.exit(main(make_app))
