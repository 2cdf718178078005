"""The film of a handler that holds the loop, beside which other films are shown.

It is kept, since to make it takes three seconds. `keep()` makes it anew.
"""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

from tornado.web import Application, RequestHandler

from loopfilm import Film, watch

FILE = Path(__file__).with_suffix(".svg")


def kept() -> tuple[str, str]:
    """Return the film that is kept, as a picture and in words."""
    svg = FILE.read_text(encoding="utf-8").strip()
    label = re.search(r'aria-label="([^"]*)"', svg)
    return svg, unescape(label[1]) if label else ""


class Slow(RequestHandler):
    """Hold the loop for a second, and answer."""

    def get(self) -> None:
        """Answer late."""
        time.sleep(1)
        self.write("at last")


def made(handler: type[RequestHandler] = Slow) -> Film:
    """Make the film of three visitors.

    Args:
        handler: whom they visit.
    """
    return watch(Application([(r"/", handler)]), ["/?user=ada", "/?user=grace", "/?user=alan"])


def keep() -> None:
    """Make it, and keep it."""
    FILE.write_text(made().svg() + "\n", encoding="utf-8")
